package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contest;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Contestant;
import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;

/**
 * Finds the fastest variant of a specification on this machine: verifies every variant that can run here against the
 * scalar oracle, times those that pass against one another, and keeps what came of it in the store.
 *
 * <pre>{@code
 * KernelTuner tuner = new KernelTuner(Attune.provider(Llama31Attention.class));
 * TuningRecord record = tuner.tune(32_768, 1, Duration.ofSeconds(20), ContestListener.SILENT);
 * }</pre>
 *
 * <p>The variant that would be chosen without measurements is always among the candidates, and another takes its place
 * only if it is faster beyond doubt: tuning never makes anything slower. A tuner is for one thread; an interrupt cancels
 * it, with nothing saved but the records that are complete.
 */
public final class KernelTuner {

    /** How measurements are made, as their keys name it: another way would make another name. */
    public static final String POLICY = "interleaved-1";

    /** Share of a budget that the first call may spend on letting the just-in-time compiler do its work. */
    private static final double WARM_UP = 0.6;

    private static final int WARM_UP_TOKENS = 4096;

    /** So many times slower than the best after the warm-up is slower after a contest, too. */
    private static final double HOPELESS = 10;

    private final KernelProvider provider;
    private final KernelPolicy policy;
    private final Platform platform;
    private final LongSupplier nanoTime;
    private final TuningStore store;

    /** The choice without measurements: among what can run here, and once verified, among what passed. */
    private VariantChoice untuned;

    /** What is known to speak against variants, by name; what was verified has nothing. */
    private final Map<String, CandidateResult> out = new LinkedHashMap<>();

    /** The same of the context at hand only. */
    private final Map<String, CandidateResult> tooLarge = new LinkedHashMap<>();

    private boolean prepared;

    /** Whether the compiler got done with the default; if not, others would win by chance, and nothing is saved. */
    private boolean compiled = true;

    /**
     * Prepares the tuning of a specification, on this machine and for the store of this process.
     *
     * @param provider the generated factory
     */
    public KernelTuner(KernelProvider provider) {
        this(provider, KernelPolicy.free(), Attune.platform());
    }

    /** Prepares the tuning of a specification; variants that a policy forbids are not run. */
    KernelTuner(KernelProvider provider, KernelPolicy policy, Platform platform) {
        this.provider = Objects.requireNonNull(provider, "provider is null");
        this.policy = policy.onlyForbidding();
        this.platform = platform;
        this.nanoTime = platform::nanoTime;
        this.store = platform.store(provider.openCl().isPresent());
        this.untuned = chooseWithout(Map.of());
    }

    private VariantChoice chooseWithout(Map<String, String> refused) {
        return VariantLadder.climb(
                provider,
                policy,
                new VariantLadder.Measured(Optional.empty(), "", refused),
                platform);
    }

    /** Returns the store that records are kept in. */
    public TuningStore store() {
        return store;
    }

    /** Returns the variant that is used without measurements. */
    public KernelVariant defaultVariant() {
        return untuned.variant();
    }

    /** Returns every variant with what speaks for and against it without measurements. */
    public List<Rung> ladder() {
        return untuned.ladder();
    }

    /**
     * Returns what was measured before.
     *
     * @param contextTokens tokens of a cache; the power of two below counts
     * @param threads threads at work
     */
    public Optional<TuningRecord> known(int contextTokens, int threads) {
        return store.find(KnownVariants.key(provider, TuningKey.bucket(contextTokens), threads));
    }

    /** Returns everything that was measured before for a number of threads, the shortest contexts first. */
    public List<TuningRecord> known(int threads) {
        List<TuningRecord> records = new ArrayList<>();
        for (int context = TuningKey.SHORTEST_CONTEXT; context <= TuningKey.LONGEST_CONTEXT; context *= 2) {
            known(context, threads).ifPresent(records::add);
        }
        return records;
    }

    /**
     * Returns the key under which what is measured of a specification is kept. Cheap: no kernels are touched.
     *
     * @param contextTokens tokens of a cache, a power of two
     * @param threads threads at work
     */
    public static TuningKey key(KernelProvider provider, int contextTokens, int threads) {
        return KnownVariants.key(provider, contextTokens, threads);
    }

    /** Describes this machine and JVM, as records are kept apart by it; without OpenCL devices. */
    public static Environment environment() {
        return Attune.platform().store(false).environment();
    }

    /**
     * Returns whether permutes that select from two vectors are compiled to instructions here, as the fastest variants
     * need; measured the first time, for a fraction of a second. Asked only if the Vector API can be used.
     */
    public static boolean permutesCompiled() {
        return Attune.platform().compiles(VectorOperation.PERMUTE);
    }

    /**
     * Verifies and times all variants, and saves the record.
     *
     * @param contextTokens tokens of a cache; the power of two below counts
     * @param threads threads at work, 1 to 1024
     * @param budget how long it may take; if it is too short to tell, the default stays
     * @param listener is told about progress
     * @throws java.util.concurrent.CancellationException if the thread was interrupted, which it stays
     * @throws IllegalStateException if there is not enough memory for such caches, or even the default fails
     */
    public TuningRecord tune(int contextTokens, int threads, Duration budget, ContestListener listener) {
        ThreadCount.require(threads, "threads");
        long start = nanoTime.getAsLong();
        int tokens = TuningKey.bucket(contextTokens);
        prepare(budget, listener);
        tooLarge.clear();
        List<Runnable> toClose = new ArrayList<>();
        try {
            RandomCaches caches = new RandomCaches(provider, tokens, RandomCaches.LAYERS);
            toClose.add(caches::close);
            List<Contestant> contestants = new ArrayList<>();
            for (KernelVariant variant : defaultFirst()) {
                addContestant(variant, caches, tokens, threads, contestants, toClose);
            }
            Duration left = budget.minusNanos(nanoTime.getAsLong() - start);
            ContestListener perTokenHead = progress -> listener.round(new ContestListener.Progress(
                    progress.stage(),
                    progress.fraction(),
                    progress.best(),
                    progress.bestNanos() / caches.tokenHeads()));
            Contest.Outcome outcome = new Contest(contestants, nanoTime, perTokenHead)
                    .hold(left.isNegative() ? Duration.ZERO : left);
            TuningRecord record = record(outcome, tokens, threads, caches.tokenHeads());
            if (outcome.conclusive() && compiled && !defaultStoppedEarly(outcome)) {
                store.save(record);
            }
            print(record);
            return record;
        } finally {
            toClose.forEach(Runnable::run);
        }
    }

    /**
     * Verifies what can run here, and lets the just-in-time compiler see it. Done by the first call of {@link #tune} at
     * the expense of its budget, unless it is done before.
     *
     * @param budget how much time there is; verification takes as long as it takes
     * @param listener is told about progress
     */
    public void prepare(Duration budget, ContestListener listener) {
        if (prepared) {
            return;
        }
        for (Rung rung : untuned.ladder()) {
            if (!rung.supported() && provider.variants().stream().anyMatch(each -> each.name().equals(rung.variant()))) {
                out.put(rung.variant(), CandidateResult.untimed(rung.variant(), Verdict.UNSUPPORTED, rung.reason()));
            }
        }
        refuseWhatIsWrong(KernelVerification::problem, listener);
        warmUp((long) (budget.toNanos() * WARM_UP), listener);
        refuseWhatIsWrong(KernelVerification::problemWhenCompiled, listener);
        prepared = true;
    }

    private void refuseWhatIsWrong(
            BiFunction<KernelProvider, KernelVariant, Optional<String>> verification, ContestListener listener) {
        Map<String, String> refused = new LinkedHashMap<>();
        for (KernelVariant variant : defaultFirst()) {
            listener.round(new ContestListener.Progress("verifying " + variant, 0, "", Double.NaN));
            verification.apply(provider, variant).ifPresent(words -> refused.put(variant.name(), words));
        }
        refused.forEach((name, words) -> out.put(name, CandidateResult.untimed(name, Verdict.REFUSED, words)));
        if (refused.containsKey(untuned.variant().name())) {
            out.values().stream()
                    .filter(result -> result.verdict() == Verdict.REFUSED)
                    .forEach(result -> refused.put(result.variant(), result.reason()));
            untuned = chooseWithout(refused);
        }
    }

    /** Plain Java, and vectors that the compiler did not get done with, are not worth a contest. */
    private void warmUp(long limit, ContestListener listener) {
        List<KernelVariant> inHostMemory = defaultFirst();
        inHostMemory.removeIf(variant -> variant.backend() == Backend.OPENCL);
        try (RandomCaches caches = new RandomCaches(provider, WARM_UP_TOKENS, 1)) {
            List<Runnable> vectorSteps = new ArrayList<>();
            Map<KernelVariant, Double> nanos = new LinkedHashMap<>();
            List<KernelVariant> vectors = new ArrayList<>();
            for (KernelVariant variant : inHostMemory) {
                DecodeStep step = resources(variant, 1).steps().acquire();
                if (variant.backend().usesVectors()) {
                    vectors.add(variant);
                    vectorSteps.add(() -> caches.attend(step));
                } else {
                    nanos.put(variant, CompilerWarmUp.nanos(() -> caches.attend(step), nanoTime));
                }
            }
            double[] fastest = new CompilerWarmUp(vectorSteps, nanoTime).run(limit, listener);
            for (int i = 0; i < fastest.length; i++) {
                nanos.put(vectors.get(i), fastest[i]);
            }
            double best = nanos.values().stream().mapToDouble(Double::doubleValue).min().orElse(0);
            nanos.forEach((variant, each) -> {
                if (each > HOPELESS * best && variant.equals(untuned.variant())) {
                    compiled = false;
                } else if (each > HOPELESS * best) {
                    stopEarly(variant, each / caches.tokenHeads(), each / best);
                }
            });
        }
    }

    private void stopEarly(KernelVariant variant, double nanosPerTokenHead, double times) {
        String reason = String.format(
                Locale.ROOT,
                "%.0f times slower than the best on %d tokens%s",
                times,
                WARM_UP_TOKENS,
                variant.backend().usesVectors() ? ", after all the compiler did in that time" : "");
        out.put(
                variant.name(),
                new CandidateResult(
                        variant.name(),
                        Verdict.STOPPED_EARLY,
                        reason,
                        nanosPerTokenHead,
                        nanosPerTokenHead,
                        nanosPerTokenHead,
                        1));
    }

    private List<KernelVariant> defaultFirst() {
        List<KernelVariant> variants = new ArrayList<>(provider.variants());
        variants.removeIf(variant -> out.containsKey(variant.name()));
        if (variants.remove(untuned.variant())) {
            variants.addFirst(untuned.variant());
        }
        return variants;
    }

    private void addContestant(
            KernelVariant variant,
            RandomCaches caches,
            int tokens,
            int threads,
            List<Contestant> contestants,
            List<Runnable> toClose) {
        if (variant.backend() != Backend.OPENCL) {
            contestants.add(
                    new HostContestant(variant.name(), caches, resources(variant, threads).steps().acquire()));
            return;
        }
        try {
            DeviceContestant device = new DeviceContestant(provider, variant, tokens);
            toClose.add(device::close);
            contestants.add(device);
        } catch (OpenClException | OutOfMemoryError failure) {
            // Nothing is wrong with the kernels: a shorter context may fit the device, and its prompt the host.
            tooLarge.put(variant.name(), CandidateResult.untimed(
                    variant.name(), Verdict.UNSUPPORTED, "such a cache cannot be filled: " + failure.getMessage()));
        }
    }

    private SharedResources resources(KernelVariant variant, int threads) {
        return SharedResources.of(provider, variant, Map.of(), WorkerPool.SHARED, threads);
    }

    /** Decode steps over caches in host memory. */
    private record HostContestant(String name, RandomCaches caches, DecodeStep step) implements Contestant {

        @Override
        public void run() {
            caches.attend(step);
        }
    }

    private TuningRecord record(Contest.Outcome outcome, int tokens, int threads, double tokenHeads) {
        Map<String, CandidateResult> results = new LinkedHashMap<>(out);
        results.putAll(tooLarge);
        outcome.results().forEach(result -> results.put(result.variant(), perTokenHead(result, tokenHeads)));
        return new TuningRecord(
                KnownVariants.key(provider, tokens, threads),
                outcome.winner(),
                untuned.variant().name(),
                reason(outcome),
                Instant.now(),
                provider.variants().stream().map(variant -> results.get(variant.name())).toList());
    }

    /** A default that is hopeless is one that the compiler served badly this time: in another process it may be best. */
    private boolean defaultStoppedEarly(Contest.Outcome outcome) {
        return outcome.results().stream()
                .anyMatch(result -> result.variant().equals(untuned.variant().name())
                        && result.verdict() == Verdict.STOPPED_EARLY);
    }

    private String reason(Contest.Outcome outcome) {
        return compiled && !defaultStoppedEarly(outcome)
                ? outcome.reason()
                : outcome.reason() + "; not kept, the just-in-time compiler did not get done in the budget";
    }

    private static CandidateResult perTokenHead(CandidateResult result, double tokenHeads) {
        return new CandidateResult(
                result.variant(),
                result.verdict(),
                result.reason(),
                result.medianNanos() / tokenHeads,
                result.lowerQuartileNanos() / tokenHeads,
                result.upperQuartileNanos() / tokenHeads,
                result.rounds());
    }

    private static void print(TuningRecord record) {
        if (VerboseTopic.TUNE.enabled()) {
            TuningKey key = record.key();
            for (CandidateResult each : record.candidates()) {
                boolean chosen = each.variant().equals(record.chosen());
                VerboseTopic.TUNE.print(
                        key.specification(),
                        key.threads(),
                        key.contextTokens(),
                        each.variant(),
                        chosen ? "CHOSEN" : each.verdict(),
                        each.medianNanos(),
                        chosen ? record.reason() : each.reason());
            }
        }
    }
}
