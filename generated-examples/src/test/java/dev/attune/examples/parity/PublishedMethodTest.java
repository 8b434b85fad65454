package dev.attune.examples.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.examples.safetensors.SafetensorsFile;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
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
            cache.prefill(
                    keys, values, file.tensor(layer + ".window_queries").floats(QUERY_HEADS, POSITIONS, HEAD_DIM));
            assertEquals(TOKENS, cache.statistics().packedTokens());
            for (int head = 0; head < KEY_VALUE_HEADS; head++) {
                float[] rebuilt = new float[TOKENS * HEAD_DIM];
                float[] rebuiltValues = new float[TOKENS * HEAD_DIM];
                cache.reconstruct(head, rebuilt, rebuiltValues);
                int from = head * TOKENS * HEAD_DIM;
                assertArrayEquals(
                        Arrays.copyOfRange(values, from, from + rebuiltValues.length), rebuiltValues, "dense values");
                for (int token = 0; token < TOKENS; token++) {
                    int row = token * HEAD_DIM;
                    checkToken(keys, expected, from + row, rebuilt, row, kept, layer + " head " + head + " token " + token);
                }
            }
        }
    }

    private static void checkToken(
            float[] keys, float[] expected, int from, float[] rebuilt, int row, int kept, String what) {
        int keptByBoth = 0;
        for (int channel = 0; channel < HEAD_DIM; channel++) {
            float reference = expected[from + channel];
            float actual = rebuilt[row + channel];
            assertEquals(reference, actual, 1e-4f * Math.abs(reference) + 1e-30f, () -> what);
            // The released code leaves kept channels as they were; ours are exact but for float rounding.
            boolean keptByReference = reference == keys[from + channel];
            boolean keptByUs = Math.abs(actual - keys[from + channel]) <= 2e-6f * Math.abs(keys[from + channel]);
            assertEquals(keptByReference, keptByUs, () -> what + ": kept channels differ");
            keptByBoth += keptByUs ? 1 : 0;
        }
        assertTrue(keptByBoth >= kept, what + " keeps only " + keptByBoth + " channels");
    }
}
