package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Decode steps on several threads and over several slices; {@link KeyValueCacheTest} has those of one slice. */
@Timeout(240)
class DecodeStepTest {

    private static final int QUERY_HEADS = 6;
    private static final int HEADS = 3;
    private static final int D = 16;
    private static final int SLICE = DecodeStep.SLICE_TILES * 64;
    private static final int[] THREADS = {1, 2, 3, 8};
    private static final LayerShape PACKING = new LayerShape(QUERY_HEADS, HEADS, D, 8, true);
    private static final LayerShape KEEPING_DENSE = new LayerShape(QUERY_HEADS, HEADS, D, 8, false);

    private final RandomTokens random = new RandomTokens("DecodeStepTest");
    private final float[] window = random.next(QUERY_HEADS * 2 * D);
    private final float[] queries = random.next(QUERY_HEADS * D);
    private final float[] output = new float[QUERY_HEADS * D];
    private final float[] logSumExp = new float[QUERY_HEADS];

    /** A range of one head's tokens that kernels were asked to attend to. */
    private record Range(int head, long tile, int packedTokens, long dense, int denseTokens)
            implements Comparable<Range> {

        @Override
        public int compareTo(Range other) {
            return toString().compareTo(other.toString());
        }
    }

    /** Kernels that note what they are asked for, and may do something first. */
    private static final class NotingKernels extends ReferenceKernels {

        private final Set<Range> ranges;
        private final Runnable first;

        private NotingKernels(LayerShape shape, Backend backend, Set<Range> ranges, Runnable first) {
            super(shape, backend);
            this.ranges = ranges;
            this.first = first;
        }

        @Override
        public void attend(
                int head, float[] queries, float[] scales, MemorySegment cache, long tile, int packedTokens, long dense,
                int denseTokens, float[] output, float[] logSumExp) {
            first.run();
            assertTrue(ranges.add(new Range(head, tile, packedTokens, dense, denseTokens)), "twice the same");
            super.attend(head, queries, scales, cache, tile, packedTokens, dense, denseTokens, output, logSumExp);
        }
    }

    private static LayerKernels noting(LayerShape shape, Set<Range> ranges, Runnable first) {
        return Attune.kernels(ReferenceProvider.of(shape, List.of(Backend.SCALAR),
                backend -> new NotingKernels(shape, backend, ranges, first)));
    }

    /** Contexts around the edges of tiles and slices, most of them no multiples of either. */
    @Test
    void anyNumberOfThreadsGivesTheSameBitsAndThoseAreRight() {
        for (LayerShape shape : List.of(PACKING, KEEPING_DENSE)) {
            LayerKernels kernels = Attune.kernels(ReferenceProvider.scalar(shape));
            for (int[] context : new int[][] {
                {0, 1}, {1, 0}, {64, 64}, {100, 300}, {SLICE, 70}, {SLICE + SLICE / 2 - 1, 0},
                {SLICE + SLICE / 2, 65}, {2 * SLICE + 7, 66}, {2 * SLICE + 7, 129}, {10_001, 100}, {130, SLICE + 30}
            }) {
                int tokens = context[0] + context[1];
                float[] keys = random.next(HEADS * tokens * D);
                float[] values = random.next(HEADS * tokens * D);
                float[] alone = null;
                float[] sumsAlone = new float[QUERY_HEADS];
                for (int threads : THREADS) {
                    try (KeyValueCache cache = kernels.withThreads(threads).newCache(context[0], context[1])) {
                        fill(cache, keys, values, context[0], context[1]);
                        for (int repeat = 0; repeat < 3; repeat++) {
                            cache.attend(queries, output, logSumExp);
                            if (alone == null) {
                                alone = output.clone();
                                System.arraycopy(logSumExp, 0, sumsAlone, 0, QUERY_HEADS);
                                assertAttended(keys, values, tokens);
                            }
                            String what = shape + ", " + Arrays.toString(context) + " tokens, threads " + threads;
                            assertArrayEquals(alone, output, what);
                            assertArrayEquals(sumsAlone, logSumExp, what);
                        }
                    }
                }
            }
        }
    }

    private void fill(KeyValueCache cache, float[] keys, float[] values, int prompt, int generated) {
        int tokens = prompt + generated;
        cache.prefill(rows(keys, tokens, 0, prompt), rows(values, tokens, 0, prompt), window);
        for (int token = prompt; token < tokens; token++) {
            cache.append(rows(keys, tokens, token, 1), rows(values, tokens, token, 1));
        }
    }

    /** Returns {@code [HEADS][count][D]} out of {@code [HEADS][tokens][D]}. */
    private static float[] rows(float[] all, int tokens, int first, int count) {
        float[] some = new float[HEADS * count * D];
        for (int head = 0; head < HEADS; head++) {
            System.arraycopy(all, (head * tokens + first) * D, some, head * count * D, count * D);
        }
        return some;
    }

    /** Compares with the definition, over all tokens at once, in double. */
    private void assertAttended(float[] keys, float[] values, int tokens) {
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
            assertEquals(Math.log(sum), logSumExp[q], 2e-6 * Math.max(1, Math.abs(Math.log(sum))));
            for (int j = 0; j < D; j++) {
                assertEquals(expected[j] / sum, output[q * D + j], 3e-6);
            }
        }
    }

    @Test
    void everyTokenIsInOneSliceAndSlicesDoNotDependOnThreads() {
        Set<Range> ranges = ConcurrentHashMap.newKeySet();
        for (LayerShape shape : List.of(PACKING, KEEPING_DENSE)) {
            LayerKernels kernels = noting(shape, ranges, () -> {});
            long tileBytes = kernels.layout().tileBytes();
            // One that ends in a wrapped ring among them: 2 full dense tiles, the older one second.
            for (int[] context : new int[][] {{30, 0}, {SLICE, 66}, {SLICE + 64, 129}, {3 * SLICE, 1}, {70, 5000}}) {
                Set<Range> alone = null;
                for (int threads : THREADS) {
                    try (KeyValueCache cache = kernels.withThreads(threads).newCache(context[0], context[1])) {
                        int tokens = context[0] + context[1];
                        fill(cache, new float[HEADS * tokens * D], new float[HEADS * tokens * D], context[0],
                                context[1]);
                        ranges.clear();
                        cache.attend(queries, output);
                        assertCovers(ranges, cache.statistics(), tileBytes);
                        if (alone == null) {
                            alone = new TreeSet<>(ranges);
                        }
                        assertEquals(alone, new TreeSet<>(ranges));
                    }
                }
            }
        }
    }

    private static void assertCovers(Set<Range> ranges, CacheStatistics statistics, long tileBytes) {
        for (int head = 0; head < HEADS; head++) {
            int packed = 0;
            int dense = 0;
            BitSet packedTiles = new BitSet();
            BitSet denseTiles = new BitSet();
            for (Range range : ranges) {
                if (range.head == head) {
                    int size = range.packedTokens + range.denseTokens;
                    assertTrue(size > 0 && size < SLICE + SLICE / 2 + 128, size + " tokens in a slice");
                    packed += range.packedTokens;
                    dense += range.denseTokens;
                    cover(packedTiles, range.tile, range.packedTokens, tileBytes);
                    cover(denseTiles, range.dense, range.denseTokens, tileBytes);
                }
            }
            assertEquals(statistics.packedTokens(), packed);
            assertEquals(statistics.denseTokens(), dense);
        }
    }

    private static void cover(BitSet tiles, long offset, int tokens, long tileBytes) {
        for (int tile = 0; tile * 64 < tokens; tile++) {
            int index = (int) (offset / tileBytes) + tile;
            assertTrue(!tiles.get(index), "tile " + index + " is in two slices");
            tiles.set(index);
        }
    }

    @Test
    void aShortCacheTakesOneCallPerHead() {
        Set<Range> ranges = ConcurrentHashMap.newKeySet();
        try (KeyValueCache cache = noting(PACKING, ranges, () -> {}).newCache(SLICE + 100)) {
            int tokens = SLICE + 70;
            fill(cache, random.next(HEADS * tokens * D), random.next(HEADS * tokens * D), SLICE, 70);
            ranges.clear();
            cache.attend(queries, output);
            assertEquals(HEADS, ranges.size());
        }
    }

    @Test
    void oneThreadDoesEverythingOnTheCallers() {
        Set<Thread> met = ConcurrentHashMap.newKeySet();
        Set<Range> ranges = ConcurrentHashMap.newKeySet();
        LayerKernels kernels = noting(PACKING, ranges, () -> met.add(Thread.currentThread())).withThreads(1);
        try (KeyValueCache cache = kernels.newCache(3 * SLICE)) {
            fill(cache, new float[HEADS * 3 * SLICE * D], new float[HEADS * 3 * SLICE * D], 3 * SLICE, 0);
            cache.attend(queries, output);
            assertEquals(3 * HEADS, ranges.size());
            assertEquals(Set.of(Thread.currentThread()), met);
        }
    }

    /** Prepares decode steps of 3 slices for each head on 2 threads, and repeats them until a worker has helped. */
    private void withAWorker(Runnable first, Consumer<KeyValueCache> test) {
        Set<Range> ranges = ConcurrentHashMap.newKeySet();
        Set<Thread> met = ConcurrentHashMap.newKeySet();
        LayerKernels kernels = noting(PACKING, ranges, () -> {
                    met.add(Thread.currentThread());
                    ranges.clear();
                    first.run();
                })
                .withThreads(2);
        try (KeyValueCache cache = kernels.newCache(3 * SLICE)) {
            fill(cache, random.next(HEADS * 3 * SLICE * D), random.next(HEADS * 3 * SLICE * D), 3 * SLICE, 0);
            while (met.size() < 2) {
                cache.attend(queries, output);
            }
            test.accept(cache);
        }
    }

    @Test
    void aFailureOnAnyThreadLeavesTheOutputAndTheCacheAsTheyWere() {
        var failures = new ConcurrentHashMap<Boolean, Error>();
        var armed = new AtomicBoolean();
        Runnable first = () -> {
            boolean worker = Thread.currentThread().isDaemon();
            Error failure = failures.get(worker);
            if (armed.get() && failure != null) {
                throw failure;
            }
        };
        withAWorker(first, cache -> {
            cache.attend(queries, output, logSumExp);
            float[] expected = output.clone();
            float[] sums = logSumExp.clone();
            for (boolean onWorker : new boolean[] {false, true}) {
                Error failure = new AssertionError("on a worker: " + onWorker);
                failures.clear();
                failures.put(onWorker, failure);
                armed.set(true);
                Throwable thrown = null;
                while (thrown == null) {
                    Arrays.fill(output, 7);
                    Arrays.fill(logSumExp, 7);
                    try {
                        // No failure if the worker came too late: again, then.
                        cache.attend(queries, output, logSumExp);
                    } catch (AssertionError error) {
                        thrown = error;
                    }
                }
                armed.set(false);
                assertSame(failure, thrown);
                for (float each : output) {
                    assertEquals(7, each);
                }
                for (float each : logSumExp) {
                    assertEquals(7, each);
                }
                cache.attend(queries, output, logSumExp);
                assertArrayEquals(expected, output);
                assertArrayEquals(sums, logSumExp);
            }
        });
    }

    @Test
    void queriesMayBeOverwrittenByTheOutput() {
        int tokens = 2 * SLICE;
        LayerKernels kernels = Attune.kernels(ReferenceProvider.scalar(PACKING));
        try (KeyValueCache cache = kernels.newCache(tokens)) {
            fill(cache, random.next(HEADS * tokens * D), random.next(HEADS * tokens * D), tokens, 0);
            cache.attend(queries, output);
            float[] both = queries.clone();
            cache.attend(both, both);
            assertArrayEquals(output, both);
        }
    }

    @Test
    void decodeStepsAllocateNothingOnAnyThread() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int tokens = 4 * SLICE;
        for (int count : new int[] {1, 2}) {
            var idle = ReferenceProvider.of(PACKING, List.of(Backend.SCALAR), IdleKernels::new);
            try (KeyValueCache cache = Attune.kernels(idle).withThreads(count).newCache(tokens)) {
                cache.prefill(new float[HEADS * tokens * D], new float[HEADS * tokens * D], window);
                for (int i = 0; i < 1000; i++) {
                    cache.attend(queries, output);
                    cache.attend(queries, output, logSumExp);
                }
                long[] atWork = Stream.concat(Stream.of(Thread.currentThread()), workers())
                        .mapToLong(Thread::threadId)
                        .toArray();
                long before = allocated(threads, atWork);
                for (int i = 0; i < 2000; i++) {
                    cache.attend(queries, output);
                    cache.attend(queries, output, logSumExp);
                }
                long bytes = allocated(threads, atWork) - before;
                // One object a call would be 64,000 bytes.
                assertTrue(bytes < 4000, bytes + " bytes allocated by 4000 decode steps on " + count);
            }
        }
    }

    private static Stream<Thread> workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("attune-worker-"));
    }

    private static long allocated(ThreadMXBean threads, long[] ids) {
        long bytes = 0;
        for (long id : ids) {
            bytes += threads.getThreadAllocatedBytes(id);
        }
        return bytes;
    }

    /** Attends for a moment, so that a worker may come, without doing anything. */
    private static final class IdleKernels extends ReferenceKernels {

        private IdleKernels(Backend backend) {
            super(PACKING, backend);
        }

        @Override
        public void attend(
                int head, float[] queries, float[] scales, MemorySegment cache, long tile, int packedTokens, long dense,
                int denseTokens, float[] output, float[] logSumExp) {
            long end = System.nanoTime() + 1000;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void manyCallersOfSeveralCachesGetTheSameBits() throws Exception {
        LayerKernels kernels = Attune.kernels(ReferenceProvider.scalar(PACKING)).withThreads(3);
        int tokens = 2 * SLICE + 100;
        List<KeyValueCache> caches = new ArrayList<>();
        List<float[]> expected = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            KeyValueCache cache = kernels.newCache(tokens);
            fill(cache, random.next(HEADS * tokens * D), random.next(HEADS * tokens * D), tokens, 0);
            cache.attend(queries, output);
            caches.add(cache);
            expected.add(output.clone());
        }
        List<Callable<Void>> callers = new ArrayList<>();
        for (int caller = 0; caller < 6; caller++) {
            int which = caller % 2;
            callers.add(() -> {
                float[] mine = new float[QUERY_HEADS * D];
                for (int i = 0; i < 10; i++) {
                    caches.get(which).attend(queries, mine);
                    assertArrayEquals(expected.get(which), mine);
                }
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(callers.size())) {
            for (Future<Void> future : threads.invokeAll(callers)) {
                future.get();
            }
        }
        caches.forEach(KeyValueCache::close);
    }

    @Test
    void promptsArePackedToTheSameBytesByAnyNumberOfThreads() {
        for (LayerShape shape : List.of(PACKING, KEEPING_DENSE)) {
            LayerKernels kernels = Attune.kernels(ReferenceProvider.scalar(shape));
            for (int tokens : new int[] {1, 63, 64, 1024, 1025, 5000}) {
                float[] keys = random.next(HEADS * tokens * D);
                float[] values = random.next(HEADS * tokens * D);
                try (KeyValueCache alone = kernels.withThreads(1).newCache(tokens)) {
                    alone.prefill(keys, values, window);
                    for (int threads : THREADS) {
                        assertSameBytes(alone, kernels.withThreads(threads), keys, values, tokens);
                    }
                }
            }
        }
    }

    /** Also from segments that belong to this thread alone. */
    private void assertSameBytes(
            KeyValueCache expected, LayerKernels kernels, float[] keys, float[] values, int tokens) {
        try (KeyValueCache cache = kernels.newCache(tokens);
                Arena confined = Arena.ofConfined()) {
            cache.prefill(keys, values, window);
            assertEquals(-1, expected.memory().mismatch(cache.memory()));
            cache.clear();
            cache.prefill(
                    confined.allocateFrom(ValueLayout.JAVA_FLOAT, keys),
                    confined.allocateFrom(ValueLayout.JAVA_FLOAT, values),
                    confined.allocateFrom(ValueLayout.JAVA_FLOAT, window));
            assertEquals(-1, expected.memory().mismatch(cache.memory()));
        }
    }

    @Test
    void aPromptThatFailsOnAWorkerLeavesTheCacheEmpty() {
        var failing = new AtomicBoolean(true);
        var provider = ReferenceProvider.of(PACKING, List.of(Backend.SCALAR), backend ->
                new ReferenceKernels(PACKING, backend) {
                    @Override
                    public void packKeys(int head, float[] keys, float[] scales, MemorySegment cache, long tile) {
                        if (failing.get() && Thread.currentThread().isDaemon()) {
                            throw new ArithmeticException("on a worker");
                        }
                        super.packKeys(head, keys, scales, cache, tile);
                    }
                });
        int tokens = 10 * 1024;
        float[] keys = random.next(HEADS * tokens * D);
        try (KeyValueCache cache = Attune.kernels(provider).withThreads(2).newCache(tokens)) {
            boolean failed = false;
            while (!failed) {
                try {
                    cache.prefill(keys, keys, window);
                    cache.clear();
                } catch (ArithmeticException onAWorker) {
                    failed = true;
                }
            }
            assertEquals(0, cache.tokens());
            assertEquals(1, cache.memory().get(ValueLayout.JAVA_FLOAT, 0), "the failed prompt's scales are not kept");
            failing.set(false);
            cache.prefill(keys, keys, window);
            assertEquals(tokens, cache.statistics().packedTokens());
        }
    }
}
