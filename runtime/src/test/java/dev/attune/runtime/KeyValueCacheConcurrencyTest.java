package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

@Timeout(60)
class KeyValueCacheConcurrencyTest {

    private static final int QUERY_HEADS = 4;
    private static final int HEADS = 2;
    private static final int D = 16;
    private static final LayerShape SHAPE = new LayerShape(QUERY_HEADS, HEADS, D, 8, true);

    private final RandomTokens random = new RandomTokens("KeyValueCacheConcurrencyTest");
    private final float[] token = random.next(HEADS * D);
    private final float[] queries = random.next(QUERY_HEADS * D);

    /** Where kernels wait while a test looks at the cache from outside. */
    private static final class Gate {

        private volatile boolean shut;
        private final CountDownLatch arrived = new CountDownLatch(1);
        private final CountDownLatch opened = new CountDownLatch(1);

        void pass() {
            if (!shut) {
                return;
            }
            arrived.countDown();
            try {
                assertTrue(opened.await(30, TimeUnit.SECONDS));
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }
    }

    /** Kernels that stop at a gate in the middle of every operation. */
    private static final class GatedKernels extends ReferenceKernels {

        private final Gate gate;

        private GatedKernels(Backend backend, Gate gate) {
            super(SHAPE, backend);
            this.gate = gate;
        }

        @Override
        public void scoreChannels(int head, float[] windowQueries, int positions, float[] scales) {
            gate.pass();
            super.scoreChannels(head, windowQueries, positions, scales);
        }

        @Override
        public void storeDense(float[] key, float[] value, int offset, MemorySegment cache, long tile, int token) {
            gate.pass();
            super.storeDense(key, value, offset, cache, tile, token);
        }

        @Override
        public void loadDense(MemorySegment cache, long tile, float[] keys, float[] values) {
            gate.pass();
            super.loadDense(cache, tile, keys, values);
        }

        @Override
        public void attend(
                int head, float[] queries, float[] scales, MemorySegment cache, long tile, int tiles, long dense,
                int denseTokens, float[] output, float[] logSumExp) {
            gate.pass();
            super.attend(head, queries, scales, cache, tile, tiles, dense, denseTokens, output, logSumExp);
        }
    }

    @Test
    void writesAreRefusedWhileAReaderAttends() throws Exception {
        during(1, this::attend, cache -> {
            assertRefused("append() while attend() is in progress", () -> cache.append(token, token));
            assertRefused("prefill() while attend() is in progress", () -> cache.prefill(token, token, queries));
            assertRefused("clear() while attend() is in progress", cache::clear);
            assertRefused("close() while attend() is in progress", cache::close);
        });
    }

    @Test
    void writesAreRefusedWhileAReaderReconstructs() throws Exception {
        during(1, cache -> cache.reconstruct(0, new float[D], new float[D]), cache -> {
            assertRefused("append() while reconstruct() is in progress", () -> cache.append(token, token));
            assertRefused("close() while reconstruct() is in progress", cache::close);
        });
    }

    @Test
    void everythingIsRefusedWhileATokenIsAppended() throws Exception {
        during(1, cache -> cache.append(token, token), cache -> {
            assertRefused("attend() while append() is in progress", () -> attend(cache));
            assertRefused(
                    "reconstruct() while append() is in progress",
                    () -> cache.reconstruct(0, new float[D], new float[D]));
            assertRefused("append() while append() is in progress", () -> cache.append(token, token));
            assertRefused("close() while append() is in progress", cache::close);
            assertEquals(1, cache.tokens(), "counters may be asked, and show the cache before the write");
            assertEquals(1, cache.statistics().denseTokens());
        });
    }

    @Test
    void everythingIsRefusedWhileAPromptIsStored() throws Exception {
        during(0, cache -> cache.prefill(token, token, queries), cache -> {
            assertRefused("attend() while prefill() is in progress", () -> attend(cache));
            assertRefused("prefill() while prefill() is in progress", () -> cache.prefill(token, token, queries));
            assertRefused("clear() while prefill() is in progress", cache::clear);
        });
    }

    @Test
    void anotherReaderIsWelcomeWhileOneAttends() throws Exception {
        Gate gate = new Gate();
        try (KeyValueCache cache = gatedCache(gate, 1);
                ExecutorService threads = Executors.newFixedThreadPool(1)) {
            gate.shut = true;
            Future<?> first = threads.submit(() -> attend(cache));
            assertTrue(gate.arrived.await(30, TimeUnit.SECONDS));
            gate.shut = false;
            attend(cache);
            cache.reconstruct(0, new float[D], new float[D]);
            gate.opened.countDown();
            first.get();
            cache.append(token, token);
            assertEquals(2, cache.tokens());
        }
    }

    private interface Use {
        void of(KeyValueCache cache);
    }

    /** Stops an operation half-way, makes the checks meanwhile, lets it finish, and makes sure the cache goes on. */
    private void during(int tokens, Use operation, Use checks) throws Exception {
        Gate gate = new Gate();
        try (KeyValueCache cache = gatedCache(gate, tokens);
                ExecutorService threads = Executors.newFixedThreadPool(1)) {
            gate.shut = true;
            Future<?> inProgress = threads.submit(() -> operation.of(cache));
            try {
                assertTrue(gate.arrived.await(30, TimeUnit.SECONDS));
                checks.of(cache);
            } finally {
                gate.opened.countDown();
            }
            inProgress.get();
            int before = cache.tokens();
            cache.append(token, token);
            attend(cache);
            assertEquals(before + 1, cache.tokens());
        }
    }

    private KeyValueCache gatedCache(Gate gate, int tokens) {
        var provider = ReferenceProvider.of(SHAPE, List.of(Backend.SCALAR), backend -> new GatedKernels(backend, gate));
        KeyValueCache cache = Attune.kernels(provider).newCache(128);
        for (int i = 0; i < tokens; i++) {
            cache.append(token, token);
        }
        return cache;
    }

    private void attend(KeyValueCache cache) {
        cache.attend(queries, new float[QUERY_HEADS * D]);
    }

    private static void assertRefused(String message, Executable call) {
        var error = assertThrows(IllegalStateException.class, call);
        assertTrue(error.getMessage().startsWith(message), error.getMessage());
    }

    /** Kernels that keep part of a result in a field, as generated ones do, and notice a second thread inside. */
    private static final class OneThreadKernels extends ReferenceKernels {

        private volatile Thread inside;

        private OneThreadKernels(Backend backend, Set<AttentionKernels> created) {
            super(SHAPE, backend);
            created.add(this);
        }

        @Override
        public void attend(
                int head, float[] queries, float[] scales, MemorySegment cache, long tile, int tiles, long dense,
                int denseTokens, float[] output, float[] logSumExp) {
            assertEquals(null, inside);
            inside = Thread.currentThread();
            super.attend(head, queries, scales, cache, tile, tiles, dense, denseTokens, output, logSumExp);
            assertEquals(Thread.currentThread(), inside);
            inside = null;
        }
    }

    @Test
    void manyReadersSeeTheSameAndShareFewKernels() throws Exception {
        int readers = 8;
        Set<AttentionKernels> created = ConcurrentHashMap.newKeySet();
        var provider = ReferenceProvider.of(
                SHAPE, List.of(Backend.SCALAR), backend -> new OneThreadKernels(backend, created));
        try (KeyValueCache cache = Attune.kernels(provider).newCache(300);
                ExecutorService threads = Executors.newFixedThreadPool(readers)) {
            cache.prefill(random.next(HEADS * 150 * D), random.next(HEADS * 150 * D), queries);
            float[] expected = new float[QUERY_HEADS * D];
            cache.attend(queries, expected);
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < readers; i++) {
                tasks.add(() -> {
                    float[] output = new float[QUERY_HEADS * D];
                    for (int repeat = 0; repeat < 300; repeat++) {
                        cache.attend(queries, output);
                        assertArrayEquals(expected, output);
                    }
                    return null;
                });
            }
            for (Future<Void> future : threads.invokeAll(tasks)) {
                future.get();
            }
            // The pool keeps twice as many kernels as there are processors; only threads beyond that make new ones.
            int kept = 2 * Runtime.getRuntime().availableProcessors();
            if (readers <= kept) {
                assertTrue(created.size() <= readers, created.size() + " kernels for " + readers + " readers");
            }
        }
    }

    @Test
    void readersAndAWriterEitherSucceedOrAreRefusedButNeverMix() throws Exception {
        try (KeyValueCache cache = Attune.kernels(ReferenceProvider.scalar(SHAPE)).newCache(100_000);
                ExecutorService threads = Executors.newFixedThreadPool(3)) {
            float[] ones = new float[HEADS * D];
            Arrays.fill(ones, 1);
            cache.append(ones, ones);
            List<Callable<Integer>> tasks = new ArrayList<>();
            for (int reader = 0; reader < 2; reader++) {
                tasks.add(() -> {
                    float[] output = new float[QUERY_HEADS * D];
                    int refused = 0;
                    for (int i = 0; i < 2000; i++) {
                        try {
                            cache.attend(queries, output);
                            assertEquals(1, output[0], 1e-6);
                        } catch (IllegalStateException busy) {
                            refused++;
                        }
                    }
                    return refused;
                });
            }
            tasks.add(() -> {
                int refused = 0;
                for (int i = 0; i < 20_000; i++) {
                    try {
                        cache.append(ones, ones);
                    } catch (IllegalStateException busy) {
                        refused++;
                    }
                }
                return refused;
            });
            List<Future<Integer>> results = threads.invokeAll(tasks);
            results.get(0).get();
            results.get(1).get();
            assertEquals(1 + 20_000 - results.get(2).get(), cache.tokens());
        }
    }
}
