package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contest;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Contestant;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
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

    /** Share of a budget that the first call may spend on letting the just-in-time compiler do its work. */
    private static final double WARM_UP = 0.6;

    private static final int WARM_UP_TOKENS = 4096;

    private final KernelProvider provider;
    private final Platform platform;
    private final LongSupplier nanoTime;
    private final TuningStore store;

    /** The choice without measurements: among what can run here, and once verified, among what passed. */
    private VariantChoice untuned;

    /** What is known to speak against variants, by name; what was verified has nothing. */
    private final Map<String, CandidateResult> out = new LinkedHashMap<>();

    private boolean prepared;

    /**
     * Prepares the tuning of a specification, on this machine and for the store of this process.
     *
     * @param provider the generated factory
     */
    public KernelTuner(KernelProvider provider) {
        this(provider, Attune.platform());
    }

    KernelTuner(KernelProvider provider, Platform platform) {
        this(provider, platform, System::nanoTime);
    }

    KernelTuner(KernelProvider provider, Platform platform, LongSupplier nanoTime) {
        this.provider = Objects.requireNonNull(provider, "provider is null");
        this.platform = platform;
        this.nanoTime = nanoTime;
        this.store = platform.store(provider.openCl().isPresent());
        this.untuned = chooseWithout(Map.of());
    }

    private VariantChoice chooseWithout(Map<String, String> refused) {
        return VariantLadder.climb(
                provider,
                KernelPolicy.free().withTuning(KernelPolicy.Tuning.OFF),
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
        List<Runnable> toClose = new ArrayList<>();
        try {
            RandomCaches caches = new RandomCaches(provider, tokens, RandomCaches.LAYERS);
            toClose.add(caches::close);
            List<Contestant> contestants = new ArrayList<>();
            for (KernelVariant variant : defaultFirst()) {
                contestants.add(contestant(variant, caches, tokens, threads, toClose));
            }
            Duration left = budget.minusNanos(nanoTime.getAsLong() - start);
            Contest.Outcome outcome =
                    new Contest(contestants, nanoTime, listener).hold(left.isNegative() ? Duration.ZERO : left);
            TuningRecord record = record(outcome, tokens, threads, caches.tokenHeads());
            if (outcome.conclusive()) {
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
        Map<String, String> refused = new LinkedHashMap<>();
        for (KernelVariant variant : defaultFirst()) {
            listener.round(new ContestListener.Progress("verifying " + variant, 0, "", Double.NaN));
            KernelVerification.problem(provider, variant).ifPresent(words -> refused.put(variant.name(), words));
        }
        refused.forEach((name, words) -> out.put(name, CandidateResult.untimed(name, Verdict.REFUSED, words)));
        untuned = chooseWithout(refused);
        try (RandomCaches caches = new RandomCaches(provider, WARM_UP_TOKENS, 1)) {
            List<Runnable> steps = new ArrayList<>();
            for (KernelVariant variant : defaultFirst()) {
                if (variant.backend().usesVectors()) {
                    DecodeStep step = resources(variant, 1).steps().acquire();
                    steps.add(() -> caches.attend(step));
                }
            }
            new CompilerWarmUp(steps, nanoTime).run((long) (budget.toNanos() * WARM_UP), listener);
        }
        prepared = true;
    }

    private List<KernelVariant> defaultFirst() {
        List<KernelVariant> variants = new ArrayList<>(provider.variants());
        variants.removeIf(variant -> out.containsKey(variant.name()));
        if (variants.remove(untuned.variant())) {
            variants.addFirst(untuned.variant());
        }
        return variants;
    }

    private Contestant contestant(
            KernelVariant variant, RandomCaches caches, int tokens, int threads, List<Runnable> toClose) {
        if (variant.backend() == Backend.OPENCL) {
            DeviceContestant device = new DeviceContestant(provider, variant, tokens);
            toClose.add(device::close);
            return device;
        }
        return new HostContestant(variant.name(), caches, resources(variant, threads).steps().acquire());
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
        outcome.results().forEach(result -> results.put(result.variant(), perTokenHead(result, tokenHeads)));
        return new TuningRecord(
                KnownVariants.key(provider, tokens, threads),
                outcome.winner(),
                untuned.variant().name(),
                outcome.reason(),
                Instant.now(),
                provider.variants().stream().map(variant -> results.get(variant.name())).toList());
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
