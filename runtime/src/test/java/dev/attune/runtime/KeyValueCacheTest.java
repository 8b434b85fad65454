package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.attune.annotations.Backend;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyValueCacheTest {

    private static final int QUERY_HEADS = 4;
    private static final int HEADS = 2;
    private static final int D = 16;
    private static final LayerShape PACKING = new LayerShape(QUERY_HEADS, HEADS, D, 8, true);
    private static final LayerShape KEEPING_DENSE = new LayerShape(QUERY_HEADS, HEADS, D, 8, false);

    private final RandomTokens random = new RandomTokens("KeyValueCacheTest");

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 65, 128, 200})
    void promptAndGeneratedTokensAreAttendedAlike(int promptTokens) {
        for (LayerShape shape : List.of(PACKING, KEEPING_DENSE)) {
            int tokens = promptTokens + 150;
            float[] keys = random.next(HEADS * tokens * D);
            float[] values = random.next(HEADS * tokens * D);
            float[] window = random.next(QUERY_HEADS * 3 * D);
            try (KeyValueCache cache = kernels(shape).newCache(promptTokens, 150)) {
                cache.prefill(
                        tokens(keys, tokens, 0, promptTokens), tokens(values, tokens, 0, promptTokens), window);
                for (int token = promptTokens; token < tokens; token++) {
                    cache.append(tokens(keys, tokens, token, 1), tokens(values, tokens, token, 1));
                }
                assertEquals(tokens, cache.tokens());
                assertAttends(cache, keys, values, tokens);
                assertReconstructs(cache, keys, values, tokens);
                int packed = shape.packGenerated() ? tokens / 64 * 64 : promptTokens;
                assertEquals(packed, cache.statistics().packedTokens());
                assertEquals(tokens - packed, cache.statistics().denseTokens());
            }
        }
    }

    @Test
    void aTailOf64TokensIsPackedOneHeadAtATime() {
        try (KeyValueCache cache = kernels(PACKING).newCache(192)) {
            append(cache, 64);
            assertEquals(0, cache.statistics().packedTokens(), "one head of two is packed, which counts for none");
            assertEquals(64, cache.statistics().denseTokens());
            append(cache, 1);
            assertEquals(64, cache.statistics().packedTokens());
            assertEquals(1, cache.statistics().denseTokens());
            append(cache, 63);
            assertEquals(64, cache.statistics().packedTokens());
            assertEquals(64, cache.statistics().denseTokens());
            append(cache, 1);
            assertEquals(128, cache.statistics().packedTokens());
        }
    }

    @Test
    void anEmptyCacheAttendsToNothing() {
        try (KeyValueCache cache = kernels(PACKING).newCache(64)) {
            float[] output = random.next(QUERY_HEADS * D);
            float[] logSumExp = random.next(QUERY_HEADS);
            cache.attend(random.next(QUERY_HEADS * D), output, logSumExp);
            assertArrayEquals(new float[QUERY_HEADS * D], output);
            for (float each : logSumExp) {
                assertEquals(Float.NEGATIVE_INFINITY, each);
            }
        }
    }

    @Test
    void scalesComeFromTheWindowAndAreStoredInTheSegment() {
        try (KeyValueCache cache = kernels(PACKING).newCache(64)) {
            assertScales(cache, 0);
            cache.prefill(new float[HEADS * D], new float[HEADS * D], new float[QUERY_HEADS * 5 * D]);
            assertScales(cache, 5);
            cache.clear();
            assertScales(cache, 0);
            cache.prefill(new float[0], new float[0], new float[0]);
            assertScales(cache, 0);
            cache.prefill(new float[0], new float[0], new float[QUERY_HEADS * 2 * D]);
            assertScales(cache, 2);
        }
    }

    /** The reference's scale is {@code 2^(positions + head + channel mod 3)}. */
    private static void assertScales(KeyValueCache cache, int positions) {
        for (int head = 0; head < HEADS; head++) {
            for (int j = 0; j < D; j++) {
                float stored = cache.memory().get(
                        ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN), 4L * (head * D + j));
                assertEquals(positions == 0 ? 1 : Math.scalb(1f, positions + head + j % 3), stored);
            }
        }
    }

    @Test
    void clearForgetsTokensAndKeepsTheMemory() {
        try (KeyValueCache cache = kernels(PACKING).newCache(128)) {
            append(cache, 100);
            long address = cache.memory().address();
            cache.clear();
            assertEquals(0, cache.tokens());
            float[] keys = random.next(HEADS * 128 * D);
            float[] values = random.next(HEADS * 128 * D);
            cache.prefill(keys, values, random.next(QUERY_HEADS * D));
            assertEquals(address, cache.memory().address());
            assertAttends(cache, keys, values, 128);
        }
    }

    @Test
    void segmentsOnAndOffTheHeapAtAnyAlignmentGiveTheSameBytes() {
        float[] keys = random.next(HEADS * 70 * D);
        float[] values = random.next(HEADS * 70 * D);
        float[] window = random.next(QUERY_HEADS * 2 * D);
        float[] key = random.next(HEADS * D);
        float[] value = random.next(HEADS * D);
        float[] queries = random.next(QUERY_HEADS * D);
        float[] output = new float[QUERY_HEADS * D];
        float[] logSumExp = new float[QUERY_HEADS];
        try (KeyValueCache expected = kernels(PACKING).newCache(128);
                Arena arena = Arena.ofConfined()) {
            expected.prefill(keys, values, window);
            expected.append(key, value);
            expected.attend(queries, output, logSumExp);
            for (int misalignment : new int[] {0, 1, 4}) {
                for (boolean heap : new boolean[] {false, true}) {
                    try (KeyValueCache cache = kernels(PACKING).newCache(128)) {
                        cache.prefill(
                                segment(arena, heap, misalignment, keys),
                                segment(arena, heap, misalignment, values),
                                segment(arena, heap, misalignment, window));
                        cache.append(
                                segment(arena, heap, misalignment, key), segment(arena, heap, misalignment, value));
                        MemorySegment out = segment(arena, heap, misalignment, new float[output.length]);
                        MemorySegment sums = segment(arena, heap, misalignment, new float[logSumExp.length]);
                        cache.attend(segment(arena, heap, misalignment, queries), out, sums);
                        assertEquals(-1, expected.memory().mismatch(cache.memory()));
                        assertArrayEquals(output, out.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
                        assertArrayEquals(logSumExp, sums.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
                    }
                }
            }
        }
    }

    private static MemorySegment segment(Arena arena, boolean heap, int misalignment, float[] numbers) {
        long bytes = 4L * numbers.length;
        MemorySegment all = heap
                ? MemorySegment.ofArray(new byte[(int) bytes + misalignment])
                : arena.allocate(bytes + misalignment, 64);
        MemorySegment segment = all.asSlice(misalignment);
        MemorySegment.copy(numbers, 0, segment, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, numbers.length);
        return segment;
    }

    @Test
    void statisticsCountEverything() {
        try (KeyValueCache cache = kernels(PACKING).newCache(256)) {
            CacheStatistics empty = cache.statistics();
            assertEquals(4 * HEADS * D, empty.bytes());
            assertEquals(0, empty.compression());
            assertTrue(Double.isNaN(empty.bytesPerTokenPerHead()));

            append(cache, 130);
            CacheStatistics statistics = cache.statistics();
            long side = 2L * HEADS * 64 * D * 4;
            long tail = 2L * HEADS * (2 * D * 4);
            long scales = 4L * HEADS * D;
            assertEquals(
                    List.of(
                            new CacheStatistics.Part("keys", side),
                            new CacheStatistics.Part("values", side),
                            new CacheStatistics.Part("dense tail", tail),
                            new CacheStatistics.Part("channel scales", scales)),
                    statistics.parts());
            assertEquals(130, statistics.tokens());
            assertEquals(128, statistics.packedTokens());
            assertEquals(2, statistics.denseTokens());
            assertEquals(2 * side + tail + scales, statistics.bytes());
            assertEquals(130L * HEADS * D * 4, statistics.denseBfloat16Bytes());
            // One line of 64 bytes holds 16 of the 32 scales; 4 + 2 tiles per head follow.
            assertEquals(128 + 6L * HEADS * 64 * D * 8, statistics.allocatedBytes());
            assertEquals((double) statistics.bytes() / 130 / HEADS, statistics.bytesPerTokenPerHead());
            assertEquals((double) statistics.denseBfloat16Bytes() / statistics.bytes(), statistics.compression());
        }
    }

    @Test
    void capacityAndBackendAreKnownEvenAfterClosing() {
        KeyValueCache cache = kernels(PACKING).newCache(100);
        cache.close();
        assertEquals(100, cache.capacity());
        assertEquals(Backend.SCALAR, cache.backend());
    }

    @Test
    void closeFreesTheMemoryAtOnceAndMayBeRepeated() {
        KeyValueCache cache = kernels(PACKING).newCache(100);
        append(cache, 1);
        MemorySegment memory = cache.memory();
        cache.close();
        assertThrows(IllegalStateException.class, () -> memory.get(ValueLayout.JAVA_BYTE, 0));
        cache.close();
    }

    @Test
    void thousandsOfCachesComeAndGo() {
        LayerKernels kernels = kernels(PACKING);
        Set<Long> addresses = new HashSet<>();
        for (int i = 0; i < 5000; i++) {
            try (KeyValueCache cache = kernels.newCache(64)) {
                append(cache, 1);
                assertEquals(1, cache.tokens());
                addresses.add(cache.memory().address());
            }
        }
        // Memory that was freed is handed out again.
        assertTrue(addresses.size() < 1000, addresses.size() + " different addresses");
    }

    @Test
    void memoryThatCannotBeHadIsAnErrorThatSaysHowMuch() {
        // 512 TiB, more than any process can address on today's machines.
        LayerKernels kernels = kernels(new LayerShape(32, 32, 512, 8, false));
        var error = assertThrows(OutOfMemoryError.class, () -> kernels.newCache(Integer.MAX_VALUE));
        assertEquals(
                "cannot allocate the 562949953486848 bytes of a cache for 2147483647 tokens;"
                        + " the operating system has not that much memory to give",
                error.getMessage());
    }

    @Test
    void attendingAllocatesNothingOnTheCachesSide() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var idle = ReferenceProvider.of(PACKING, List.of(Backend.SCALAR), IdleKernels::new);
        try (KeyValueCache cache = Attune.kernels(idle).newCache(64)) {
            append(cache, 3);
            float[] queries = random.next(QUERY_HEADS * D);
            float[] output = new float[QUERY_HEADS * D];
            float[] logSumExp = new float[QUERY_HEADS];
            for (int i = 0; i < 1000; i++) {
                cache.attend(queries, output);
                cache.attend(queries, output, logSumExp);
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                cache.attend(queries, output);
                cache.attend(queries, output, logSumExp);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < 10_000, allocated + " bytes allocated by 20,000 calls");
        }
    }

    /** Attends without doing anything. */
    private static final class IdleKernels extends ReferenceKernels {

        private IdleKernels(Backend backend) {
            super(PACKING, backend);
        }

        @Override
        public void attend(
                int head,
                float[] queries,
                float[] scales,
                MemorySegment cache,
                long tile,
                int tiles,
                long dense,
                int denseTokens,
                float[] output,
                float[] logSumExp) {}
    }

    private static LayerKernels kernels(LayerShape shape) {
        return Attune.kernels(ReferenceProvider.scalar(shape));
    }

    private void append(KeyValueCache cache, int count) {
        for (int i = 0; i < count; i++) {
            cache.append(random.next(HEADS * D), random.next(HEADS * D));
        }
    }

    /** Returns {@code [HEADS][count][D]} out of {@code [HEADS][tokens][D]}. */
    private static float[] tokens(float[] all, int tokens, int first, int count) {
        float[] some = new float[HEADS * count * D];
        for (int head = 0; head < HEADS; head++) {
            System.arraycopy(all, (head * tokens + first) * D, some, head * count * D, count * D);
        }
        return some;
    }

    private static void assertReconstructs(KeyValueCache cache, float[] keys, float[] values, int tokens) {
        for (int head = 0; head < HEADS; head++) {
            float[] someKeys = new float[tokens * D];
            float[] someValues = new float[tokens * D];
            cache.reconstruct(head, someKeys, someValues);
            int from = head * tokens * D;
            assertArrayEquals(Arrays.copyOfRange(keys, from, from + tokens * D), someKeys);
            assertArrayEquals(Arrays.copyOfRange(values, from, from + tokens * D), someValues);
        }
    }

    /** Compares a decode step with attention computed straight from the definition. */
    private void assertAttends(KeyValueCache cache, float[] keys, float[] values, int tokens) {
        float[] queries = random.next(QUERY_HEADS * D);
        float[] output = new float[QUERY_HEADS * D];
        float[] again = new float[QUERY_HEADS * D];
        float[] logSumExp = new float[QUERY_HEADS];
        cache.attend(queries, output, logSumExp);
        cache.attend(queries, again);
        assertArrayEquals(output, again);
        for (int q = 0; q < QUERY_HEADS; q++) {
            int first = q / (QUERY_HEADS / HEADS) * tokens;
            double sum = 0;
            double[] expected = new double[D];
            for (int token = first; token < first + tokens; token++) {
                double score = 0;
                for (int j = 0; j < D; j++) {
                    score += (double) queries[q * D + j] * keys[token * D + j];
                }
                double weight = Math.exp(score / Math.sqrt(D));
                sum += weight;
                for (int j = 0; j < D; j++) {
                    expected[j] += weight * values[token * D + j];
                }
            }
            assertEquals(Math.log(sum), logSumExp[q], 1e-5);
            for (int j = 0; j < D; j++) {
                assertEquals(expected[j] / sum, output[q * D + j], 1e-5);
            }
        }
    }
}
