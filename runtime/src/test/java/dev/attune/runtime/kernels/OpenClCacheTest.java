package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.opencl.OpenClTestDevice;
import dev.attune.runtime.spi.KernelProvider;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Caches in device memory behave as caches in host memory do. */
class OpenClCacheTest {

    private static final int HEADS = 3;
    private static final int GROUP = 2;
    private static final int HEAD_DIM = 64;
    private static final int POSITIONS = 4;

    private static KernelProvider packing;
    private static KernelProvider keeping;

    @BeforeAll
    static void compile() {
        OpenClTestDevice.require();
        AttentionModel packingModel = Specifications.deviceLayer("Packing", HEADS, GROUP, HEAD_DIM);
        AttentionModel keepingModel = Specifications.keepingGeneratedDense(
                Specifications.deviceLayer("Keeping", HEADS, GROUP, HEAD_DIM));
        CompiledSpecifications compiled = CompiledSpecifications.of(List.of(packingModel, keepingModel));
        packing = compiled.provider(packingModel);
        keeping = compiled.provider(keepingModel);
    }

    @Test
    void promptsAndGeneratedTokensGiveTheSameResultsAsInHostMemory() {
        for (KernelProvider provider : List.of(packing, keeping)) {
            try (KeyValueCache device = cache(provider, 400);
                    KeyValueCache host = Attune.kernels(provider, Backend.SCALAR).newCache(400)) {
                Random random = new Random(1);
                prefill(random, 150, List.of(device, host));
                assertSame(host, device, random);
                for (int token = 0; token < 130; token++) {
                    float[] key = numbers(random, HEADS * HEAD_DIM);
                    float[] value = numbers(random, HEADS * HEAD_DIM);
                    device.append(key, value);
                    host.append(key, value);
                    if (token % 13 == 0) {
                        assertSame(host, device, random);
                    }
                }
                assertSame(host, device, random);
            }
        }
    }

    @Test
    void aCacheStartsWithoutAPromptAndStartsAnewAfterClear() {
        try (KeyValueCache device = cache(packing, 256);
                KeyValueCache host = Attune.kernels(packing, Backend.SCALAR).newCache(256)) {
            Random random = new Random(2);
            assertSame(host, device, random);
            prefill(random, 100, List.of(device, host));
            device.clear();
            host.clear();
            assertSame(host, device, random);
            append(random, 70, List.of(device, host));
            assertSame(host, device, random);
        }
    }

    @Test
    void whatADeviceHoldsIsReadBackToTheBit() {
        // Packed tiles, and a tail that is dense or, if the prompt is packed whole, a tile with fewer tokens.
        for (KernelProvider provider : List.of(packing, keeping)) {
            try (KeyValueCache device = cache(provider, 192);
                    KeyValueCache host = Attune.kernels(provider, Backend.SCALAR).newCache(192)) {
                prefill(new Random(3), 150, List.of(device, host));
                assertHoldTheSame(host, device);
            }
        }
    }

    @Test
    void aPromptPackedOnTheHostIsTheSameAsOnePackedOnTheDevice() {
        for (KernelProvider provider : List.of(packing, keeping)) {
            Random random = new Random(7);
            float[] keys = numbers(random, HEADS * 170 * HEAD_DIM);
            float[] values = numbers(random, HEADS * 170 * HEAD_DIM);
            float[] window = numbers(random, HEADS * GROUP * POSITIONS * HEAD_DIM);
            float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
            float[] expected = new float[queries.length];
            float[] actual = new float[queries.length];
            try (KeyValueCache ofDevice = cache(provider, 192);
                    KeyValueCache ofHost = packingOnTheHost(provider, 192);
                    KeyValueCache oracle = Attune.kernels(provider, Backend.SCALAR).newCache(192)) {
                for (KeyValueCache cache : List.of(ofDevice, ofHost, oracle)) {
                    cache.prefill(keys, values, window);
                }
                assertHoldTheSame(ofDevice, ofHost);
                ofDevice.attend(queries, expected);
                ofHost.attend(queries, actual);
                assertArrayEquals(expected, actual);
                assertSame(oracle, ofHost, random);
                // Full tiles of generated tokens are packed on the device all the same.
                append(random, 22, List.of(ofHost, oracle));
                assertSame(oracle, ofHost, random);
            }
        }
    }

    /** To the bit, in all heads. */
    private static void assertHoldTheSame(KeyValueCache expected, KeyValueCache actual) {
        for (int head = 0; head < HEADS; head++) {
            float[][] ofExpected = reconstructed(expected, head);
            float[][] ofActual = reconstructed(actual, head);
            assertArrayEquals(ofExpected[0], ofActual[0]);
            assertArrayEquals(ofExpected[1], ofActual[1]);
        }
    }

    private static void append(Random random, int tokens, List<KeyValueCache> caches) {
        for (int token = 0; token < tokens; token++) {
            float[] key = numbers(random, HEADS * HEAD_DIM);
            float[] value = numbers(random, HEADS * HEAD_DIM);
            caches.forEach(cache -> cache.append(key, value));
        }
    }

    private static KeyValueCache packingOnTheHost(KernelProvider provider, int tokens) {
        System.setProperty("attune.opencl.pack", "host");
        try {
            return cache(provider, tokens);
        } finally {
            System.clearProperty("attune.opencl.pack");
        }
    }

    @Test
    void anUnknownPlaceToPackIsRefused() {
        System.setProperty("attune.opencl.pack", "moon");
        try {
            IllegalArgumentException refusal =
                    assertThrows(IllegalArgumentException.class, () -> cache(packing, 64));
            assertTrue(refusal.getMessage().contains("\"moon\" is neither"), refusal.getMessage());
        } finally {
            System.clearProperty("attune.opencl.pack");
        }
    }

    @Test
    void segmentsServeAsArraysDo() {
        try (KeyValueCache device = cache(packing, 128);
                Arena arena = Arena.ofConfined()) {
            Random random = new Random(4);
            prefill(random, 100, List.of(device));
            float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
            float[] output = new float[queries.length];
            float[] sums = new float[HEADS * GROUP];
            device.attend(queries, output, sums);
            MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, queries);
            MemorySegment sumSegment = arena.allocate(ValueLayout.JAVA_FLOAT, sums.length);
            device.attend(segment, segment, sumSegment);
            assertArrayEquals(output, segment.toArray(ValueLayout.JAVA_FLOAT));
            assertArrayEquals(sums, sumSegment.toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    @Test
    void severalCachesServeSeveralThreads() throws Exception {
        LayerKernels kernels = Attune.kernels(packing, Backend.OPENCL);
        List<Callable<Void>> tasks = new ArrayList<>();
        try (KeyValueCache shared = kernels.newCache(200);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            Random random = new Random(5);
            prefill(random, 200, List.of(shared));
            float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
            float[] expected = new float[queries.length];
            shared.attend(queries, expected);
            for (int i = 0; i < 4; i++) {
                int seed = i;
                tasks.add(() -> {
                    try (KeyValueCache own = kernels.newCache(200);
                            KeyValueCache host =
                                    Attune.kernels(packing, Backend.SCALAR).newCache(200)) {
                        Random ownRandom = new Random(seed);
                        prefill(ownRandom, 70 + seed, List.of(own, host));
                        for (int step = 0; step < 20; step++) {
                            float[] output = new float[queries.length];
                            shared.attend(queries, output);
                            assertArrayEquals(expected, output);
                            float[] key = numbers(ownRandom, HEADS * HEAD_DIM);
                            float[] value = numbers(ownRandom, HEADS * HEAD_DIM);
                            own.append(key, value);
                            host.append(key, value);
                            assertSame(host, own, ownRandom);
                        }
                    }
                    return null;
                });
            }
            for (Future<Void> done : threads.invokeAll(tasks)) {
                done.get();
            }
        }
    }

    @Test
    void closingFreesTheMemoryOfThousandsOfCaches() {
        LayerKernels kernels = Attune.kernels(packing, Backend.OPENCL);
        long bytes;
        try (KeyValueCache cache = kernels.newCache(4096)) {
            bytes = cache.statistics().allocatedBytes();
        }
        // All of them together would not fit this machine's memory.
        int cycles = 2000;
        assertTrue(bytes * cycles > 2L << 30, () -> bytes + " bytes a cache");
        Random random = new Random(6);
        float[] key = numbers(random, HEADS * HEAD_DIM);
        float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
        float[] output = new float[queries.length];
        long before = residentBytes();
        for (int cycle = 0; cycle < cycles; cycle++) {
            try (KeyValueCache cache = kernels.newCache(4096)) {
                if (cycle % 100 == 0) {
                    cache.append(key, key);
                    cache.attend(queries, output);
                }
            }
        }
        long grown = residentBytes() - before;
        assertTrue(grown < 100 * bytes, () -> grown + " bytes more than before " + cycles + " caches of " + bytes);
    }

    private static long residentBytes() {
        try {
            String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
            return Long.parseLong(pages) * 4096;
        } catch (IOException noSuchSystem) {
            return 0;
        }
    }

    @Test
    void memoryThatADeviceHasNotIsRefusedWithItsSizeAndPurpose() {
        LayerKernels kernels = Attune.kernels(packing, Backend.OPENCL);
        OpenClException failure = assertThrows(OpenClException.class, () -> kernels.newCache(Integer.MAX_VALUE));
        assertEquals(-4, failure.code());
        String message = failure.getMessage();
        assertTrue(message.contains("CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)"), message);
        assertTrue(message.contains("packed tiles of a cache"), message);
        assertTrue(message.contains("close other caches or create a smaller one"), message);
        // The device is as good as before.
        try (KeyValueCache cache = kernels.newCache(64)) {
            assertEquals(0, cache.tokens());
        }
    }

    @Test
    void aClosedCacheIsRefused() {
        KeyValueCache cache = cache(packing, 64);
        cache.close();
        float[] queries = new float[HEADS * GROUP * HEAD_DIM];
        assertThrows(IllegalStateException.class, () -> cache.attend(queries, queries.clone()));
        cache.close();
    }

    private static KeyValueCache cache(KernelProvider provider, int tokens) {
        KeyValueCache cache = Attune.kernels(provider, Backend.OPENCL).newCache(tokens);
        assertEquals(Backend.OPENCL, cache.backend());
        return cache;
    }

    private static void prefill(Random random, int tokens, List<KeyValueCache> caches) {
        float[] keys = numbers(random, HEADS * tokens * HEAD_DIM);
        float[] values = numbers(random, HEADS * tokens * HEAD_DIM);
        float[] window = numbers(random, HEADS * GROUP * POSITIONS * HEAD_DIM);
        caches.forEach(cache -> cache.prefill(keys, values, window));
    }

    /** Compares a decode step; a host cache may pack a full tail later, which changes what it stands for. */
    private static void assertSame(KeyValueCache host, KeyValueCache device, Random random) {
        float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
        float[] expected = new float[queries.length];
        float[] actual = new float[queries.length];
        float[] expectedSums = new float[HEADS * GROUP];
        float[] actualSums = new float[HEADS * GROUP];
        assertEquals(host.tokens(), device.tokens());
        device.attend(queries, actual, actualSums);
        if (host.statistics().packedTokens() == device.statistics().packedTokens()) {
            host.attend(queries, expected, expectedSums);
            assertArrayEquals(expectedSums, actualSums, 1e-4f);
            assertArrayEquals(expected, actual, 1e-4f);
        }
    }

    private static float[][] reconstructed(KeyValueCache cache, int head) {
        float[] keys = new float[cache.tokens() * HEAD_DIM];
        float[] values = new float[keys.length];
        cache.reconstruct(head, keys, values);
        return new float[][] {keys, values};
    }

    private static float[] numbers(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
