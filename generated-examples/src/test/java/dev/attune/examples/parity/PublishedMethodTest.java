package dev.attune.examples.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.attune.annotations.Backend;
import dev.attune.examples.safetensors.SafetensorsFile;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a cache rebuilds to, against what the released SparK code returns on byte-lm's own keys and queries: the kept
 * channels are the same, and every restored key agrees to float rounding.
 */
class PublishedMethodTest {

    private static final int KEY_VALUE_HEADS = 2;
    private static final int QUERY_HEADS = 4;
    private static final int TOKENS = 512;
    private static final int POSITIONS = 32;
    private static final int HEAD_DIM = 128;
    private static final int TILE_TOKENS = 64;

    static Stream<Arguments> cases() {
        return Stream.of("layer0", "layer2")
                .flatMap(layer -> Stream.of(Backend.SCALAR, Attune.kernels(PublishedKeys80.class).backend())
                        .distinct()
                        .flatMap(backend -> Stream.of(
                                Arguments.of(layer, "0.5", 64, PublishedKeys50.class, backend),
                                Arguments.of(layer, "0.8", 26, PublishedKeys80.class, backend))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rebuiltKeysAgreeWithTheReleasedCode(
            String layer, String ratio, int kept, Class<?> specification, Backend backend) throws URISyntaxException {
        Path golden = Path.of(PublishedMethodTest.class.getResource("golden.safetensors").toURI());
        try (SafetensorsFile file = SafetensorsFile.open(golden);
                KeyValueCache cache = Attune.kernels(specification, backend).newCache(TOKENS)) {
            float[] keys = file.tensor(layer + ".keys").floats(KEY_VALUE_HEADS, TOKENS, HEAD_DIM);
            float[] values = file.tensor(layer + ".values").floats(KEY_VALUE_HEADS, TOKENS, HEAD_DIM);
            float[] expected = file.tensor(layer + ".pruned_keys_" + ratio).floats(KEY_VALUE_HEADS, TOKENS, HEAD_DIM);
            float[] window = file.tensor(layer + ".window_queries").floats(QUERY_HEADS, POSITIONS, HEAD_DIM);
            cache.prefill(keys, values, window);
            assertEquals(TOKENS, cache.statistics().packedTokens());
            for (int head = 0; head < KEY_VALUE_HEADS; head++) {
                float[] rebuilt = new float[TOKENS * HEAD_DIM];
                float[] rebuiltValues = new float[TOKENS * HEAD_DIM];
                cache.reconstruct(head, rebuilt, rebuiltValues);
                int from = head * TOKENS * HEAD_DIM;
                assertArrayEquals(
                        Arrays.copyOfRange(values, from, from + rebuiltValues.length), rebuiltValues, "dense values");
                for (int i = 0; i < rebuilt.length; i++) {
                    float reference = expected[from + i];
                    String what = layer + " head " + head + " token " + i / HEAD_DIM + " channel " + i % HEAD_DIM;
                    assertEquals(reference, rebuilt[i], 1e-4f * Math.abs(reference) + 1e-30f, what);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theKeptChannelsAreThoseOfTheReleasedCode(
            String layer, String ratio, int kept, Class<?> specification, Backend backend) throws URISyntaxException {
        Path golden = Path.of(PublishedMethodTest.class.getResource("golden.safetensors").toURI());
        KernelProvider provider = Attune.providers().stream()
                .filter(each -> each.specification() == specification)
                .findFirst()
                .orElseThrow();
        AttentionKernels kernels = provider.create(backend);
        MemorySegment tile = Arena.ofAuto().allocate(provider.layout().tileBytes(), 64);
        try (SafetensorsFile file = SafetensorsFile.open(golden)) {
            float[] keys = file.tensor(layer + ".keys").floats(KEY_VALUE_HEADS, TOKENS, HEAD_DIM);
            float[] expected = file.tensor(layer + ".pruned_keys_" + ratio).floats(KEY_VALUE_HEADS, TOKENS, HEAD_DIM);
            float[] window = file.tensor(layer + ".window_queries").floats(QUERY_HEADS, POSITIONS, HEAD_DIM);
            float[] scales = new float[KEY_VALUE_HEADS * HEAD_DIM];
            for (int head = 0; head < KEY_VALUE_HEADS; head++) {
                kernels.scoreChannels(head, window, POSITIONS, scales);
                for (int first = 0; first < TOKENS; first += TILE_TOKENS) {
                    int from = (head * TOKENS + first) * HEAD_DIM;
                    float[] tileKeys = Arrays.copyOfRange(keys, from, from + TILE_TOKENS * HEAD_DIM);
                    kernels.packKeys(head, tileKeys, scales, tile, 0);
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        int row = from + token * HEAD_DIM;
                        BitSet reference = new BitSet();
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            // The released code leaves kept channels as they were.
                            reference.set(channel, expected[row + channel] == keys[row + channel]);
                        }
                        String what = layer + " head " + head + " token " + (first + token);
                        assertEquals(kept, reference.cardinality(), what);
                        assertEquals(reference, keptChannels(tile, token, kept), what);
                    }
                }
            }
        }
    }

    /** Reads the channels a token keeps, as {@code docs/packed-format.md} has it for uncentred float32 keys. */
    private static BitSet keptChannels(MemorySegment tile, int token, int kept) {
        int slotBytes = 32 * Float.BYTES + 32;
        int indices = token / 32 * kept * slotBytes + 32 * Float.BYTES;
        BitSet channels = new BitSet();
        for (int slot = 0; slot < kept; slot++) {
            channels.set(tile.get(ValueLayout.JAVA_BYTE, indices + slot * (long) slotBytes + token % 32) & 0xFF);
        }
        return channels;
    }
}
