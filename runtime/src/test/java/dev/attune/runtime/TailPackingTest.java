package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Full dense tiles are packed one head after the other while tokens go on arriving, and readers notice nothing. */
class TailPackingTest {

    private static final int D = 16;

    private final RandomTokens random = new RandomTokens("TailPackingTest");
    private int keysPacked;
    private int valuesPacked;
    private int failAt = Integer.MAX_VALUE;

    /** Counts what is packed, and fails when told to. */
    private final class CountingKernels extends ReferenceKernels {

        private CountingKernels(LayerShape shape, Backend backend) {
            super(shape, backend);
        }

        @Override
        public void packKeys(int head, float[] keys, float[] scales, MemorySegment cache, long tile) {
            keysPacked++;
            super.packKeys(head, keys, scales, cache, tile);
        }

        @Override
        public void packValues(float[] values, MemorySegment cache, long tile) {
            valuesPacked++;
            if (valuesPacked > failAt) {
                throw new ArithmeticException("half-way");
            }
            super.packValues(values, cache, tile);
        }
    }

    private KeyValueCache cache(int heads, int tokens) {
        var shape = new LayerShape(heads, heads, D, 8, true);
        var provider = ReferenceProvider.of(
                shape, List.of(Backend.SCALAR), backend -> new CountingKernels(shape, backend));
        return Attune.kernels(provider).newCache(tokens);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 63, 64, 65, 128, 130, 1024})
    void noAppendPacksMoreThanOneHeadOfEvery64(int heads) {
        int most = Math.ceilDiv(heads, 64);
        try (KeyValueCache cache = cache(heads, 300)) {
            float[] token = random.next(heads * D);
            for (int i = 1; i <= 300; i++) {
                keysPacked = 0;
                valuesPacked = 0;
                cache.append(token, token);
                assertTrue(keysPacked <= most, keysPacked + " heads packed by append " + i);
                assertEquals(keysPacked, valuesPacked);
                assertTrue(cache.statistics().denseTokens() < 128);
            }
            assertEquals(Math.ceilDiv(heads, most) <= 300 - 256 + 1 ? 256 : 192, cache.statistics().packedTokens());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 64, 65})
    void everyTokenIsSeenOnceAtEveryMoment(int heads) {
        int prompt = 64 + 40;
        int tokens = prompt + 230;
        float[] keys = random.next(heads * tokens * D);
        float[] values = random.next(heads * tokens * D);
        try (KeyValueCache cache = cache(heads, tokens)) {
            cache.prefill(
                    rows(keys, heads, tokens, 0, prompt),
                    rows(values, heads, tokens, 0, prompt),
                    random.next(heads * 2 * D));
            for (int count = prompt; count <= tokens; count++) {
                CacheStatistics statistics = cache.statistics();
                assertEquals(count, cache.tokens());
                assertEquals(count, statistics.tokens());
                assertEquals(count, statistics.packedTokens() + statistics.denseTokens());
                assertEquals(0, statistics.packedTokens() % 64);
                long bytes = 2L * 4 * D * heads * count + 4L * D * heads;
                assertEquals(bytes, statistics.bytes(), "here a packed token takes what a dense one takes");
                assertHolds(cache, keys, values, heads, tokens, count);
                if (count < tokens) {
                    cache.append(rows(keys, heads, tokens, count, 1), rows(values, heads, tokens, count, 1));
                }
            }
        }
    }

    /** Compares the first and the last head with the tokens, and the sum of their exponentiated scores. */
    private void assertHolds(KeyValueCache cache, float[] keys, float[] values, int heads, int tokens, int count) {
        float[] queries = random.next(heads * D);
        float[] logSumExp = new float[heads];
        cache.attend(queries, new float[heads * D], logSumExp);
        for (int head : new int[] {0, heads - 1}) {
            float[] someKeys = new float[count * D];
            float[] someValues = new float[count * D];
            cache.reconstruct(head, someKeys, someValues);
            int from = head * tokens * D;
            assertArrayEquals(Arrays.copyOfRange(keys, from, from + count * D), someKeys);
            assertArrayEquals(Arrays.copyOfRange(values, from, from + count * D), someValues);
            double sum = 0;
            for (int token = 0; token < count; token++) {
                double score = 0;
                for (int j = 0; j < D; j++) {
                    score += (double) queries[head * D + j] * keys[from + token * D + j];
                }
                sum += Math.exp(score / Math.sqrt(D));
            }
            assertEquals(Math.log(sum), logSumExp[head], 1e-5);
        }
    }

    /** Returns {@code [heads][count][D]} out of {@code [heads][tokens][D]}. */
    private static float[] rows(float[] all, int heads, int tokens, int first, int count) {
        float[] some = new float[heads * count * D];
        for (int head = 0; head < heads; head++) {
            System.arraycopy(all, (head * tokens + first) * D, some, head * count * D, count * D);
        }
        return some;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 65})
    void anAppendThatFailsAtAnyHeadIsAsIfItHadNotBeen(int heads) {
        int tokens = 260;
        float[] keys = random.next(heads * tokens * D);
        float[] values = random.next(heads * tokens * D);
        int failures = 0;
        try (KeyValueCache cache = cache(heads, tokens)) {
            for (int count = 0; count < tokens; count++) {
                float[] key = rows(keys, heads, tokens, count, 1);
                float[] value = rows(values, heads, tokens, count, 1);
                CacheStatistics before = cache.statistics();
                failAt = valuesPacked;
                int packed = keysPacked;
                try {
                    cache.append(key, value);
                } catch (ArithmeticException halfWay) {
                    failures++;
                    assertEquals(packed + 1, keysPacked);
                    assertEquals(before, cache.statistics());
                    assertHolds(cache, keys, values, heads, tokens, count);
                    // And once more, with kernels that are new.
                    assertThrows(ArithmeticException.class, () -> cache.append(key, value));
                    failAt = Integer.MAX_VALUE;
                    cache.append(key, value);
                }
                failAt = Integer.MAX_VALUE;
            }
            assertHolds(cache, keys, values, heads, tokens, tokens);
            assertTrue(failures >= 4, failures + " failures");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 70})
    void clearingInTheMidstOfPackingStartsAfresh(int heads) {
        int tokens = 200;
        try (KeyValueCache cache = cache(heads, tokens)) {
            for (int count = 0; count < 64 + 64 + 1; count++) {
                cache.append(random.next(heads * D), random.next(heads * D));
            }
            cache.clear();
            assertEquals(0, cache.statistics().denseTokens());
            float[] keys = random.next(heads * tokens * D);
            float[] values = random.next(heads * tokens * D);
            for (int count = 0; count < tokens; count++) {
                cache.append(rows(keys, heads, tokens, count, 1), rows(values, heads, tokens, count, 1));
            }
            assertHolds(cache, keys, values, heads, tokens, tokens);
        }
    }
}
