package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.ForwardingProvider;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.settings.Setting;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import dev.attune.runtime.tuning.Warnings;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kernels that are tuned while they are in use. The clock moves only when the tuning thread decodes, so the same
 * variant wins everywhere; it computes a little more than the default does, so that every result tells what made it.
 */
@Timeout(120)
class BackgroundTuningTest {

    private static final LayerShape SHAPE = Impostors.SHAPE;
    private static final int TOKENS = 1024;
    private static final long MILLISECOND = 1_000_000;
    private static final String BUDGET = "attune.tune.budget";

    private static final String DEFAULT = "vector512";
    private static final String FAST = "vector512-fast";

    /** Far within the error that verification allows for. */
    private static final float FACTOR_OF_FAST = 1.001f;

    private static final KernelPolicy BACKGROUND = KernelPolicy.free().withTuning(KernelPolicy.Tuning.BACKGROUND);

    private static final AtomicInteger PROVIDERS = new AtomicInteger();

    @TempDir
    private Path directory;

    private final AtomicLong now = new AtomicLong();
    private final RandomTokens random = new RandomTokens("BackgroundTuningTest");
    private final float[] queries = random.next(SHAPE.queryHeads() * SHAPE.headDim());
    private final List<float[]> tokens = new ArrayList<>();

    /** Is run before a decode step's call on the tuning thread, and on any other. */
    private volatile Runnable tuning = () -> {};

    private volatile Runnable decoding = () -> {};

    private final class TimedKernels extends ReferenceKernels {

        private final long nanos;
        private final float factor;

        private TimedKernels(Backend backend, long millis, float factor) {
            super(SHAPE, backend);
            this.nanos = millis * MILLISECOND;
            this.factor = factor;
        }

        @Override
        public void attend(
                int head,
                float[] queries,
                float[] scales,
                MemorySegment cache,
                long tile,
                int packedTokens,
                long dense,
                int denseTokens,
                float[] output,
                float[] logSumExp) {
            (onTuningThread() ? tuning : decoding).run();
            super.attend(head, queries, scales, cache, tile, packedTokens, dense, denseTokens, output, logSumExp);
            int first = head * SHAPE.groupSize() * SHAPE.headDim();
            for (int i = first; i < first + SHAPE.groupSize() * SHAPE.headDim(); i++) {
                output[i] *= factor;
            }
            if (onTuningThread()) {
                now.addAndGet(nanos);
            }
        }
    }

    private static boolean onTuningThread() {
        return Thread.currentThread().getName().equals("attune-tuning");
    }

    @AfterEach
    void clearTheBudget() {
        System.clearProperty(BUDGET);
    }

    private AttentionKernels kernels(long millis, float factor) {
        return new TimedKernels(Backend.VECTOR_512, millis, factor);
    }

    /** Kernels that nobody in this process has tuned. */
    private KernelProvider provider() {
        return provider(1);
    }

    private KernelProvider provider(float factorOfDefault) {
        ReferenceProvider impostors = new Impostors()
                .with(DEFAULT, () -> kernels(10, factorOfDefault))
                .with(FAST, () -> kernels(6, FACTOR_OF_FAST))
                .provider(() -> new TimedKernels(Backend.SCALAR, 20, 1));
        Fingerprint own = new Fingerprint("backgroundtuning", "%016x".formatted(PROVIDERS.incrementAndGet()));
        return new ForwardingProvider(impostors) {
            @Override
            public Fingerprint fingerprint() {
                return own;
            }
        };
    }

    private Machine machine() {
        return Machine.of(512, directory, new Meter(now::get, () -> 0));
    }

    private LayerKernels choose(KernelProvider provider, KernelPolicy policy) {
        return LayerKernels.choose(provider, policy, machine()).withThreads(1);
    }

    /** Creates a cache, which is when tuning begins, with the same tokens as all others of a test. */
    private KeyValueCache cache(LayerKernels kernels) {
        while (tokens.size() < 200) {
            tokens.add(random.next(SHAPE.keyValueHeads() * SHAPE.headDim()));
        }
        KeyValueCache cache = kernels.newCache(TOKENS);
        for (int i = 0; i < tokens.size(); i += 2) {
            cache.append(tokens.get(i), tokens.get(i + 1));
        }
        return cache;
    }

    private float[] attend(KeyValueCache cache) {
        float[] output = new float[queries.length];
        cache.attend(queries, output);
        return output;
    }

    /** Returns what a variant computes, without any tuning. */
    private float[] expected(KernelProvider provider, String variant) {
        try (KeyValueCache cache = cache(choose(provider, KernelPolicy.free().forcing(variant)))) {
            return attend(cache);
        }
    }

    private Optional<TuningRecord> record(KernelProvider provider) {
        return record(provider, BACKGROUND);
    }

    private Optional<TuningRecord> record(KernelProvider provider, KernelPolicy policy) {
        return machine().store(false).find(KnownVariants.key(provider, policy, TuningKey.bucket(TOKENS), 1));
    }

    private void awaitResult(float[] expected, KeyValueCache cache) {
        while (!Arrays.equals(expected, attend(cache))) {
            Thread.onSpinWait();
        }
    }

    /** Tunes other kernels, after all that was begun before. */
    private void awaitTuningBegunSoFar() {
        String budget = System.clearProperty(BUDGET);
        KernelProvider last = provider();
        try (KeyValueCache cache = cache(choose(last, BACKGROUND))) {
            awaitResult(expected(last, FAST), cache);
        }
        if (budget != null) {
            System.setProperty(BUDGET, budget);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    @Test
    void theDefaultServesAtOnceAndTheWinnerOnceItIsMeasured() {
        KernelProvider provider = provider();
        float[] ofOracle = expected(provider, "scalar");
        float[] ofFast = expected(provider, FAST);
        CountDownLatch used = new CountDownLatch(1);
        List<Thread> tuners = new ArrayList<>();
        tuning = () -> {
            await(used);
            if (tuners.isEmpty()) {
                tuners.add(Thread.currentThread());
            }
        };
        LayerKernels kernels = choose(provider, BACKGROUND);
        LayerKernels others = choose(provider, BACKGROUND);
        LayerKernels late = choose(provider, BACKGROUND);
        try (KeyValueCache cache = cache(kernels);
                KeyValueCache ofOthers = cache(others)) {
            assertEquals(DEFAULT, kernels.variant().name());
            assertArrayEquals(ofOracle, attend(cache), "before anything is measured");
            assertEquals(Optional.empty(), record(provider));
            used.countDown();

            awaitResult(ofFast, cache);
            assertEquals(FAST, record(provider).orElseThrow().chosen());
            assertMatches(ofOracle, attend(cache));
            awaitResult(ofFast, ofOthers);
            try (KeyValueCache next = cache(kernels);
                    KeyValueCache first = cache(late)) {
                assertArrayEquals(ofFast, attend(next));
                assertArrayEquals(ofFast, attend(first), "chosen before, first used after it was measured");
            }
            assertEquals(FAST, choose(provider, BACKGROUND).variant().name());
        }
        assertTrue(tuners.getFirst().isDaemon(), "it keeps no process alive");
        assertEquals(Thread.MIN_PRIORITY, tuners.getFirst().getPriority());
    }

    private void assertMatches(float[] oracle, float[] output) {
        for (int query = 0; query < SHAPE.queryHeads(); query++) {
            int from = query * SHAPE.headDim();
            assertEquals(
                    Optional.empty(),
                    KernelVerification.compare(
                            query,
                            Arrays.copyOfRange(oracle, from, from + SHAPE.headDim()),
                            Arrays.copyOfRange(output, from, from + SHAPE.headDim()),
                            0,
                            0));
        }
    }

    @Test
    void aStepInProgressEndsOnTheKernelsItBeganWith() throws Exception {
        KernelProvider provider = provider();
        float[] ofDefault = expected(provider, DEFAULT);
        float[] ofFast = expected(provider, FAST);
        try (KeyValueCache cache = cache(choose(provider, BACKGROUND));
                ExecutorService thread = Executors.newSingleThreadExecutor()) {
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch replaced = new CountDownLatch(1);
            Thread main = Thread.currentThread();
            decoding = () -> {
                if (Thread.currentThread() != main) {
                    begun.countDown();
                    await(replaced);
                }
            };
            Future<float[]> inProgress = thread.submit(() -> attend(cache));
            await(begun);
            awaitResult(ofFast, cache);
            replaced.countDown();
            assertArrayEquals(ofDefault, inProgress.get(), "the heads after the replacement, too");
            assertArrayEquals(ofFast, thread.submit(() -> attend(cache)).get());
        }
    }

    @Test
    void noResultIsMixedAndNoneGoesBackWhileManyAttend() throws Exception {
        KernelProvider provider = provider();
        float[] ofDefault = expected(provider, DEFAULT);
        float[] ofFast = expected(provider, FAST);
        CountDownLatch used = new CountDownLatch(3);
        tuning = () -> await(used);
        try (KeyValueCache cache = cache(choose(provider, BACKGROUND));
                ExecutorService threads = Executors.newFixedThreadPool(3)) {
            Callable<Void> attending = () -> {
                assertArrayEquals(ofDefault, attend(cache));
                used.countDown();
                int stepsOfFast = 0;
                while (stepsOfFast < 100) {
                    float[] result = attend(cache);
                    if (Arrays.equals(ofFast, result)) {
                        stepsOfFast++;
                    } else {
                        assertArrayEquals(ofDefault, result);
                        assertEquals(0, stepsOfFast, "the default after the winner");
                    }
                }
                return null;
            };
            for (Future<Void> done : threads.invokeAll(List.of(attending, attending, attending))) {
                done.get();
            }
        }
    }

    @Test
    void nothingIsTunedUnlessItIsAskedFor() {
        Set<String> created = ConcurrentHashMap.newKeySet();
        KernelProvider provider = watched(created);
        for (KernelPolicy policy : List.of(
                KernelPolicy.free(),
                KernelPolicy.free().withTuning(KernelPolicy.Tuning.OFF),
                BACKGROUND.forcing(DEFAULT),
                KernelPolicy.of(name -> new Setting(null, name)))) {
            try (KeyValueCache cache = cache(choose(provider, policy))) {
                attend(cache);
            }
        }
        choose(provider, BACKGROUND);
        awaitTuningBegunSoFar();
        assertEquals(Set.of(), created);
        assertEquals(Optional.empty(), record(provider));
    }

    /** Kernels that tell which variants the tuning thread creates. */
    private KernelProvider watched(Set<String> created) {
        return new ForwardingProvider(provider()) {
            @Override
            public AttentionKernels create(KernelVariant variant) {
                if (onTuningThread()) {
                    created.add(variant.name());
                }
                return super.create(variant);
            }
        };
    }

    @Test
    void whatThePolicyForbidsIsNotRunAndTheRecordSaysSo() {
        Set<String> created = ConcurrentHashMap.newKeySet();
        KernelProvider provider = watched(created);
        KernelPolicy policy = BACKGROUND.forbidding(FAST);
        try (KeyValueCache cache = cache(choose(provider, policy))) {
            awaitTuningOf(provider, policy);
            assertArrayEquals(expected(provider, DEFAULT), attend(cache));
        }
        assertEquals(Set.of(DEFAULT, "scalar"), created);
        TuningRecord record = record(provider, policy).orElseThrow();
        assertEquals(DEFAULT, record.chosen());
        assertEquals(
                CandidateResult.untimed(FAST, Verdict.UNSUPPORTED, "forbidden by the caller's policy"),
                record.candidate(FAST).orElseThrow());
        // It is nothing to those who may use all variants, and what they find is nothing to those who may not.
        assertEquals(Optional.empty(), record(provider));
        awaitTuningOf(provider, BACKGROUND);
        assertEquals(FAST, record(provider).orElseThrow().chosen());
        assertEquals(DEFAULT, choose(provider, policy).variant().name());
    }

    @Test
    void whatWasMeasuredBeforeIsNotMeasuredAgain() {
        KernelProvider provider = provider();
        try (KeyValueCache cache = cache(choose(provider, BACKGROUND))) {
            awaitResult(expected(provider, FAST), cache);
        }
        TuningRecord before = record(provider).orElseThrow();
        long then = now.get();
        try (KeyValueCache cache = cache(choose(provider, BACKGROUND));
                KeyValueCache sameLength = choose(provider, BACKGROUND).newCache(TOKENS + 1)) {
            assertArrayEquals(expected(provider, FAST), attend(cache));
            assertEquals(0, sameLength.tokens());
        }
        assertEquals(then, now.get());
        assertEquals(Optional.of(before), record(provider));
    }

    @Test
    void theBudgetEndsItAndTheDefaultStays() {
        System.setProperty(BUDGET, "500ms");
        KernelProvider provider = provider();
        try (KeyValueCache cache = cache(choose(provider, BACKGROUND))) {
            awaitTuningOf(provider);
            // Verification comes before the budget: 2 calls of 3 variants and as many of the oracle, on 3 sets of
            // tokens.
            long verification = 6 * (10 + 6 + 20 + 3 * 20) * MILLISECOND;
            assertTrue(now.get() < verification + 1000 * MILLISECOND, () -> now.get() + " ns");
            assertArrayEquals(expected(provider, DEFAULT), attend(cache));
        }
        assertEquals(Optional.empty(), record(provider));
    }

    /** Waits without moving the clock. */
    private void awaitTuningOf(KernelProvider provider) {
        awaitTuningOf(provider, BACKGROUND);
    }

    private void awaitTuningOf(KernelProvider provider, KernelPolicy policy) {
        CountDownLatch over = new CountDownLatch(1);
        BackgroundTuning.begin(provider, policy, machine(), TOKENS, 1, over::countDown);
        await(over);
    }

    @Test
    void aBudgetThatIsNoDurationIsRefusedWhenKernelsAreChosen() {
        System.setProperty(BUDGET, "soon");
        KernelProvider provider = provider();
        choose(provider, KernelPolicy.free());
        var refusal = assertThrows(IllegalArgumentException.class, () -> choose(provider, BACKGROUND));
        assertEquals(
                "the system property attune.tune.budget = \"soon\" is not valid; valid are durations like 500ms, 30s,"
                        + " 2m, 1h",
                refusal.getMessage());
    }

    @Test
    void aFailureOrAnInterruptLeavesTheDefaultAndOneWarning() {
        Runnable outOfMemory = () -> {
            throw new OutOfMemoryError("in a test");
        };
        for (Runnable mishap : List.of(outOfMemory, () -> Thread.currentThread().interrupt())) {
            KernelProvider provider = provider();
            tuning = mishap;
            try (Warnings warnings = new Warnings();
                    KeyValueCache cache = cache(choose(provider, BACKGROUND))) {
                awaitTuningOf(provider);
                tuning = () -> {};
                assertEquals(
                        List.of("tuning dev.attune.reference.SmallLayer in the background failed; the default stays"),
                        warnings.messages());
                assertArrayEquals(expected(provider, DEFAULT), attend(cache));
            }
            assertEquals(Optional.empty(), record(provider));
        }
        awaitTuningBegunSoFar();
    }

    @Test
    void aDefaultThatIsWrongNoLongerDecodesAndIsWarnedOf() {
        KernelProvider provider = provider(1.03f);
        float[] ofFast = expected(provider, FAST);
        try (Warnings warnings = new Warnings();
                KeyValueCache cache = cache(choose(provider, BACKGROUND))) {
            awaitResult(ofFast, cache);
            awaitTuningOf(provider);
            String warning = warnings.messages().getFirst();
            assertTrue(
                    warning.startsWith(
                            "dev.attune.reference.SmallLayer: vector512 failed verification on this machine"),
                    warning);
            assertTrue(warning.contains("normalised mean square error"), warning);
            assertEquals(FAST, choose(provider, BACKGROUND).variant().name());
        }
    }
}
