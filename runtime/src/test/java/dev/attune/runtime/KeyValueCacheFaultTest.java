package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Whatever is wrong with a call, the cache stays as it was to the byte, and so does the caller's output. */
class KeyValueCacheFaultTest {

    private static final int QUERY_HEADS = 4;
    private static final int HEADS = 2;
    private static final int D = 16;
    private static final LayerShape SHAPE = new LayerShape(QUERY_HEADS, HEADS, D, 8, true);
    private static final String TOKEN = "the 32 of [keyValueHeads = 2][headDim = 16]";
    private static final String QUERIES = "the 64 of [queryHeads = 4][headDim = 16]";

    private final RandomTokens random = new RandomTokens("KeyValueCacheFaultTest");
    private final Arena arena = Arena.ofShared();
    private final KeyValueCache cache = Attune.kernels(ReferenceProvider.scalar(SHAPE)).newCache(200);

    @AfterEach
    void free() {
        cache.close();
        arena.close();
    }

    /** What a fault may not change. */
    private record Snapshot(byte[] memory, CacheStatistics statistics, float[] output) {}

    private Snapshot snapshot() {
        float[] output = new float[QUERY_HEADS * D];
        float[] queries = new float[QUERY_HEADS * D];
        Arrays.fill(queries, 0.1f);
        cache.attend(queries, output);
        return new Snapshot(cache.memory().toArray(ValueLayout.JAVA_BYTE), cache.statistics(), output);
    }

    private void assertRefused(Class<? extends Exception> type, String message, Executable call) {
        Snapshot before = snapshot();
        Exception error = assertThrows(type, call);
        assertTrue(error.getMessage().contains(message), error.getMessage());
        Snapshot after = snapshot();
        assertArrayEquals(before.memory, after.memory);
        assertEquals(before.statistics, after.statistics);
        assertArrayEquals(before.output, after.output);
    }

    @Test
    void prefillRefusesNulls() {
        float[] token = random.next(HEADS * D);
        float[] window = random.next(QUERY_HEADS * D);
        assertRefused(NullPointerException.class, "keys is null", () -> cache.prefill(null, token, window));
        assertRefused(NullPointerException.class, "values is null", () -> cache.prefill(token, null, window));
        assertRefused(NullPointerException.class, "windowQueries is null", () -> cache.prefill(token, token, null));
        MemorySegment none = null;
        assertRefused(
                NullPointerException.class, "keys is null", () -> cache.prefill(none, heap(token), heap(window)));
        assertRefused(
                NullPointerException.class, "values is null", () -> cache.prefill(heap(token), none, heap(window)));
        assertRefused(
                NullPointerException.class,
                "windowQueries is null",
                () -> cache.prefill(heap(token), heap(token), none));
    }

    @Test
    void prefillRefusesWrongLengths() {
        prefillRefused(
                "keys has 65 numbers, not a multiple of the 32 one token has in [keyValueHeads = 2][tokens]",
                65, 64, 64);
        prefillRefused("values has 96 numbers, not the 64 of [keyValueHeads = 2][2][headDim = 16]", 64, 96, 64);
        prefillRefused("values has 0 numbers", 64, 0, 64);
        prefillRefused("windowQueries has 65 numbers, not a multiple of the 64 one position has", 64, 64, 65);
        prefillRefused("a prompt of 2 tokens takes 1 to 8", 64, 64, 0);
        prefillRefused("windowQueries has 9 positions", 64, 64, 9 * 64);
        prefillRefused("windowQueries has 9 positions", 0, 0, 9 * 64);
    }

    private void prefillRefused(String message, int keys, int values, int window) {
        assertRefused(
                IllegalArgumentException.class,
                message,
                () -> cache.prefill(new float[keys], new float[values], new float[window]));
        assertRefused(
                IllegalArgumentException.class,
                message,
                () -> cache.prefill(offHeap(new float[keys]), offHeap(new float[values]), offHeap(new float[window])));
    }

    @Test
    void prefillRefusesWhatIsNotFinite() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            // 70 tokens: [1][69][15] is the very last number, in the dense tail, when all else would be stored.
            for (int[] at : new int[][] {{0, 0, 0}, {0, 69, 3}, {1, 0, 0}, {1, 69, 15}}) {
                String position = "[" + at[0] + "][" + at[1] + "][" + at[2] + "] is " + bad;
                float[] good = random.next(HEADS * 70 * D);
                float[] window = random.next(QUERY_HEADS * D);
                float[] spoilt = good.clone();
                spoilt[(at[0] * 70 + at[1]) * D + at[2]] = bad;
                prefillRefused("keys" + position, spoilt, good, window);
                prefillRefused("values" + position, good, spoilt, window);
            }
            float[] spoiltWindow = random.next(QUERY_HEADS * 2 * D);
            spoiltWindow[(3 * 2 + 1) * D + 7] = bad;
            float[] token = random.next(HEADS * D);
            prefillRefused("windowQueries[3][1][7] is " + bad, token, token, spoiltWindow);
        }
    }

    private void prefillRefused(String message, float[] keys, float[] values, float[] window) {
        assertRefused(IllegalArgumentException.class, message, () -> cache.prefill(keys, values, window));
        assertRefused(
                IllegalArgumentException.class,
                message,
                () -> cache.prefill(offHeap(keys), heap(values), heap(window)));
    }

    @Test
    void numbersBeyondTheLimitAreRefusedEverywhere() {
        String tooLarge =
                " is 3.0E38; numbers beyond 1.0E10 in magnitude would overflow scores: check the model's output";
        float[] good = random.next(HEADS * 70 * D);
        float[] window = random.next(QUERY_HEADS * D);
        float[] spoilt = good.clone();
        spoilt[(70 + 69) * D + 15] = 3e38f;
        prefillRefused("keys[1][69][15]" + tooLarge, spoilt, good, window);
        prefillRefused("values[1][69][15]" + tooLarge, good, spoilt, window);
        float[] spoiltWindow = window.clone();
        spoiltWindow[3 * D + 7] = 3e38f;
        prefillRefused("windowQueries[3][0][7]" + tooLarge, good, good, spoiltWindow);

        fill(127);
        Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
        float[] token = random.next(HEADS * D);
        float[] spoiltToken = token.clone();
        spoiltToken[D + 15] = 3e38f;
        String place = "[1][15]" + tooLarge;
        assertRefused(wrong, "key" + place, () -> cache.append(spoiltToken, token));
        assertRefused(wrong, "value" + place, () -> cache.append(token, spoiltToken));
        assertRefused(wrong, "key" + place, () -> cache.append(offHeap(spoiltToken), heap(token)));
        assertRefused(wrong, "value" + place, () -> cache.append(heap(token), offHeap(spoiltToken)));

        float[] output = random.next(QUERY_HEADS * D);
        float[] sums = random.next(QUERY_HEADS);
        float[] outputBefore = output.clone();
        float[] sumsBefore = sums.clone();
        String query = "queries[3][7]" + tooLarge;
        assertRefused(wrong, query, () -> cache.attend(spoiltWindow, output));
        assertRefused(wrong, query, () -> cache.attend(spoiltWindow, output, sums));
        assertRefused(wrong, query, () -> cache.attend(offHeap(spoiltWindow), heap(output), heap(sums)));
        assertArrayEquals(outputBefore, output);
        assertArrayEquals(sumsBefore, sums);
    }

    @Test
    void numbersAtTheLimitAreAcceptedEverywhere() {
        float[] keys = new float[HEADS * 70 * D];
        Arrays.fill(keys, InputChecks.LIMIT);
        float[] queries = new float[QUERY_HEADS * D];
        Arrays.fill(queries, -InputChecks.LIMIT);
        float[] token = Arrays.copyOf(keys, HEADS * D);
        cache.prefill(keys, keys, queries);
        cache.append(token, token);
        cache.append(heap(token), offHeap(token));
        float[] output = new float[QUERY_HEADS * D];
        float[] sums = new float[QUERY_HEADS];
        cache.attend(queries, output);
        cache.attend(queries, output, sums);
        assertEquals(72, cache.tokens());
        cache.clear();
        cache.prefill(offHeap(keys), heap(keys), offHeap(queries));
        cache.attend(offHeap(queries), heap(output), heap(sums));
        assertEquals(70, cache.tokens());
    }

    @Test
    @SuppressWarnings("restricted")
    void aWindowThatFitsNoArrayIsRefused() {
        LayerShape wide = new LayerShape(QUERY_HEADS, HEADS, D, Integer.MAX_VALUE, true);
        try (KeyValueCache other = Attune.kernels(ReferenceProvider.scalar(wide)).newCache(200)) {
            MemorySegment token = heap(random.next(HEADS * D));
            // Never read.
            MemorySegment window = MemorySegment.NULL.reinterpret(4L * QUERY_HEADS * D * Integer.MAX_VALUE);
            var error = assertThrows(
                    IllegalArgumentException.class, () -> other.prefill(token, token, window));
            assertEquals(
                    "windowQueries has 137438953408 numbers in [queryHeads = 4][positions][headDim = 16], more than"
                            + " 2147483639",
                    error.getMessage());
            assertEquals(0, other.tokens());
        }
    }

    @Test
    void aPlaceFarIntoASegmentIsNamedToo() {
        int tokens = 200;
        float[] keys = random.next(HEADS * tokens * D);
        keys[(1 * tokens + 150) * D + 9] = Float.NaN;
        prefillRefused("keys[1][150][9] is NaN", keys, keys, random.next(QUERY_HEADS * D));
    }

    @Test
    void prefillRefusesACacheThatHoldsTokens() {
        float[] token = random.next(HEADS * D);
        cache.append(token, token);
        assertRefused(
                IllegalStateException.class,
                "holds 1 tokens; call clear()",
                () -> cache.prefill(token, token, random.next(QUERY_HEADS * D)));
    }

    @Test
    void prefillRefusesAPromptThatDoesNotFit() {
        float[] keys = random.next(HEADS * 201 * D);
        float[] window = random.next(QUERY_HEADS * D);
        String message = "a prompt of 201 tokens does not fit a cache of 200 tokens; create it with newCache(201)";
        assertRefused(IllegalStateException.class, message, () -> cache.prefill(keys, keys, window));
        assertRefused(
                IllegalStateException.class, message, () -> cache.prefill(heap(keys), heap(keys), heap(window)));
    }

    @Test
    void appendRefusesNullsAndWrongLengths() {
        fill(70);
        float[] token = random.next(HEADS * D);
        MemorySegment none = null;
        assertRefused(NullPointerException.class, "key is null", () -> cache.append(null, token));
        assertRefused(NullPointerException.class, "value is null", () -> cache.append(token, null));
        assertRefused(NullPointerException.class, "key is null", () -> cache.append(none, heap(token)));
        assertRefused(NullPointerException.class, "value is null", () -> cache.append(heap(token), none));
        for (int length : new int[] {0, 31, 33}) {
            float[] wrong = new float[length];
            String actual = " has " + length + " numbers, not " + TOKEN;
            assertRefused(IllegalArgumentException.class, "key" + actual, () -> cache.append(wrong, token));
            assertRefused(IllegalArgumentException.class, "value" + actual, () -> cache.append(token, wrong));
            assertRefused(
                    IllegalArgumentException.class, "key" + actual, () -> cache.append(offHeap(wrong), heap(token)));
            assertRefused(
                    IllegalArgumentException.class, "value" + actual, () -> cache.append(heap(token), offHeap(wrong)));
        }
    }

    @Test
    void appendRefusesWhatIsNotFiniteAlsoWhereATileWouldBePacked() {
        fill(127);
        float[] token = random.next(HEADS * D);
        float[] spoilt = token.clone();
        spoilt[D + 15] = Float.NEGATIVE_INFINITY;
        String place = "[1][15] is -Infinity; every number must be finite";
        assertRefused(IllegalArgumentException.class, "key" + place, () -> cache.append(spoilt, token));
        assertRefused(IllegalArgumentException.class, "value" + place, () -> cache.append(token, spoilt));
        assertRefused(
                IllegalArgumentException.class, "key" + place, () -> cache.append(offHeap(spoilt), heap(token)));
        assertRefused(
                IllegalArgumentException.class, "value" + place, () -> cache.append(heap(token), offHeap(spoilt)));
    }

    @Test
    void appendRefusesAFullCache() {
        fill(200);
        float[] token = random.next(HEADS * D);
        String message =
                "token 201 does not fit a cache of 200 tokens; create it with newCache(201) or more, or clear()";
        assertRefused(IllegalStateException.class, message, () -> cache.append(token, token));
        assertRefused(IllegalStateException.class, message, () -> cache.append(heap(token), heap(token)));
    }

    @Test
    void segmentsThisThreadCannotUseAreRefused() throws Exception {
        fill(5);
        MemorySegment good = heap(random.next(HEADS * D));
        MemorySegment closed;
        try (Arena shortLived = Arena.ofConfined()) {
            closed = shortLived.allocate(4 * HEADS * D, 4);
        }
        assertRefused(IllegalArgumentException.class, "whose arena is closed", () -> cache.append(closed, good));
        MemorySegment[] foreign = new MemorySegment[1];
        Thread other = new Thread(() -> foreign[0] = Arena.ofConfined().allocate(4 * HEADS * D, 4));
        other.start();
        other.join();
        assertRefused(
                IllegalArgumentException.class, "belongs to another thread", () -> cache.append(good, foreign[0]));
        assertRefused(
                IllegalArgumentException.class,
                "value has 127 bytes, which is not a whole number of float32",
                () -> cache.append(good, arena.allocate(127)));
    }

    @Test
    void attendWritesNothingUnlessAllIsWell() {
        fill(70);
        float[] queries = random.next(QUERY_HEADS * D);
        float[] spoilt = queries.clone();
        spoilt[3 * D + 2] = Float.NaN;
        float[] output = random.next(QUERY_HEADS * D);
        float[] sums = random.next(QUERY_HEADS);
        float[] outputBefore = output.clone();
        float[] sumsBefore = sums.clone();
        float[] shorter = new float[3];

        Class<NullPointerException> isNull = NullPointerException.class;
        assertRefused(isNull, "queries is null", () -> cache.attend(null, output));
        assertRefused(isNull, "output is null", () -> cache.attend(queries, null));
        assertRefused(isNull, "logSumExp is null", () -> cache.attend(queries, output, null));
        Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
        assertRefused(wrong, "queries has 3 numbers, not " + QUERIES, () -> cache.attend(shorter, output, sums));
        assertRefused(wrong, "output has 3 numbers, not " + QUERIES, () -> cache.attend(queries, shorter, sums));
        assertRefused(wrong, "logSumExp has 3 numbers, not the 4 of [queryHeads = 4]",
                () -> cache.attend(queries, output, shorter));
        assertRefused(wrong, "queries[3][2] is NaN", () -> cache.attend(spoilt, output, sums));
        assertRefused(wrong, "queries[3][2] is NaN", () -> cache.attend(spoilt, output));

        MemorySegment none = null;
        assertRefused(isNull, "queries is null", () -> cache.attend(none, heap(output), heap(sums)));
        assertRefused(isNull, "output is null", () -> cache.attend(heap(queries), none, heap(sums)));
        assertRefused(isNull, "logSumExp is null", () -> cache.attend(heap(queries), heap(output), none));
        assertRefused(wrong, "queries has 3", () -> cache.attend(heap(shorter), heap(output), heap(sums)));
        assertRefused(wrong, "output has 3", () -> cache.attend(heap(queries), heap(shorter), heap(sums)));
        assertRefused(wrong, "logSumExp has 3", () -> cache.attend(heap(queries), heap(output), heap(shorter)));
        assertRefused(wrong, "queries[3][2] is NaN", () -> cache.attend(heap(spoilt), heap(output), heap(sums)));
        assertRefused(wrong, "output is a read-only segment",
                () -> cache.attend(heap(queries), heap(output).asReadOnly(), heap(sums)));
        assertRefused(wrong, "logSumExp is a read-only segment",
                () -> cache.attend(heap(queries), heap(output), heap(sums).asReadOnly()));

        assertArrayEquals(outputBefore, output);
        assertArrayEquals(sumsBefore, sums);
    }

    @Test
    void reconstructRefusesWrongHeadsAndLengths() {
        fill(3);
        float[] right = new float[3 * D];
        float[] wrong = new float[4 * D];
        assertRefused(IndexOutOfBoundsException.class, "head 2 of 2", () -> cache.reconstruct(2, right, right));
        assertRefused(IndexOutOfBoundsException.class, "head -1 of 2", () -> cache.reconstruct(-1, right, right));
        assertRefused(
                IllegalArgumentException.class,
                "keys has 64 numbers, not the 48 of [tokens = 3][headDim = 16]",
                () -> cache.reconstruct(0, wrong, right));
        assertRefused(
                IllegalArgumentException.class, "values has 64 numbers", () -> cache.reconstruct(0, right, wrong));
        assertRefused(NullPointerException.class, "values is null", () -> cache.reconstruct(0, right, null));
    }

    @Test
    void aClosedCacheRefusesEverything() {
        fill(3);
        cache.close();
        float[] token = random.next(HEADS * D);
        float[] queries = random.next(QUERY_HEADS * D);
        float[] output = new float[QUERY_HEADS * D];
        float[] sums = new float[QUERY_HEADS];
        assertClosed("prefill()", () -> cache.prefill(token, token, queries));
        assertClosed("prefill()", () -> cache.prefill(heap(token), heap(token), heap(queries)));
        assertClosed("append()", () -> cache.append(token, token));
        assertClosed("append()", () -> cache.append(heap(token), heap(token)));
        assertClosed("attend()", () -> cache.attend(queries, output));
        assertClosed("attend()", () -> cache.attend(queries, output, sums));
        assertClosed("attend()", () -> cache.attend(heap(queries), heap(output), heap(sums)));
        assertClosed("reconstruct()", () -> cache.reconstruct(0, token, token));
        assertClosed("clear()", cache::clear);
        assertClosed("tokens()", cache::tokens);
        assertClosed("statistics()", cache::statistics);
    }

    private static void assertClosed(String operation, Executable call) {
        var error = assertThrows(IllegalStateException.class, call);
        assertEquals(operation + " on a closed cache", error.getMessage());
    }

    @Test
    void aKernelThatFailsHalfWayLeavesTheCacheUsable() {
        boolean[] failing = {false};
        var provider = ReferenceProvider.of(SHAPE, List.of(Backend.SCALAR), backend ->
                new ReferenceKernels(SHAPE, backend) {
                    @Override
                    public void packValues(float[] values, MemorySegment memory, long tile) {
                        if (failing[0]) {
                            throw new ArithmeticException("half-way");
                        }
                        super.packValues(values, memory, tile);
                    }
                });
        try (KeyValueCache fragile = Attune.kernels(provider).newCache(200)) {
            float[] keys = random.next(HEADS * 70 * D);
            float[] window = random.next(QUERY_HEADS * D);
            failing[0] = true;
            assertThrows(ArithmeticException.class, () -> fragile.prefill(keys, keys, window));
            assertEquals(0, fragile.tokens());
            assertEquals(1, fragile.memory().get(ValueLayout.JAVA_FLOAT, 0), "the failed prompt's scales are not kept");
            float[] token = random.next(HEADS * D);
            for (int i = 0; i < 63; i++) {
                fragile.append(token, token);
            }
            assertThrows(ArithmeticException.class, () -> fragile.append(token, token));
            assertEquals(63, fragile.statistics().denseTokens());
            failing[0] = false;
            fragile.append(token, token);
            failing[0] = true;
            assertThrows(ArithmeticException.class, () -> fragile.append(token, token), "of the second head's tile");
            assertEquals(64, fragile.statistics().denseTokens());
            failing[0] = false;
            fragile.append(token, token);
            assertEquals(64, fragile.statistics().packedTokens());
            assertEquals(1, fragile.statistics().denseTokens());
            // Packed reference keys are scaled: by the failed prompt's scales if those had been kept.
            assertEquals(token[0], fragile.memory().get(ValueLayout.JAVA_FLOAT, 4 * HEADS * D));
            float[] rebuilt = new float[65 * D];
            fragile.reconstruct(1, rebuilt, new float[65 * D]);
            assertArrayEquals(Arrays.copyOfRange(token, D, 2 * D), Arrays.copyOfRange(rebuilt, 63 * D, 64 * D));
        }
    }

    private void fill(int tokens) {
        cache.prefill(random.next(HEADS * tokens * D), random.next(HEADS * tokens * D), random.next(QUERY_HEADS * D));
    }

    private static MemorySegment heap(float[] numbers) {
        return MemorySegment.ofArray(numbers);
    }

    private MemorySegment offHeap(float[] numbers) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, numbers);
    }
}
