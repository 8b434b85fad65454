package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contest;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Finds the fastest variant of a specification on this machine: verifies every variant that can run here against the
 * scalar oracle, times those that pass against one another, and keeps what came of it in the store.
 *
 * <pre>{@code
 * try (KernelTuner tuner = new KernelTuner(Attune.provider(Llama31Attention.class), Isolation.OWN_PROCESSES)) {
 *     TuningRecord record = tuner.tune(32_768, 1, Duration.ofSeconds(60), ContestListener.SILENT);
 * }
 * }</pre>
 *
 * <p>The variant that would be chosen without measurements is always among the candidates, and another takes its place
 * only if it is faster beyond doubt: tuning never makes anything slower. A tuner is for one thread; an interrupt
 * cancels it, with nothing saved but the records that are complete. Its processes end when it is closed; without any
 * there is nothing to close.
 */
public final class KernelTuner implements AutoCloseable {

    /** How measurements are made, as their keys name it: another way would make another name. */
    public static final String POLICY = "interleaved-2";

    /** Share of a budget that the first call may spend on letting the just-in-time compiler do its work. */
    private static final double WARM_UP = 0.6;

    /** Of more variants than this a search compares some; comparing twice as many takes twice the time. */
    private static final int MOST_COMPARED = 16;

    private final KernelProvider provider;
    private final KernelPolicy policy;
    private final Platform platform;
    private final Meter meter;
    private final Isolation isolation;
    private final TuningStore store;

    /** The choice without measurements: among what can run here, and once verified, among what passed. */
    private VariantChoice untuned;

    private final Trials trials;

    /** Whether there are too many variants to compare all of them. */
    private boolean searching;

    /** Where variants are run. */
    public enum Isolation {

        /**
         * In this process. Vectors of several widths in one process spoil each other's compiled code, that of decode
         * steps elsewhere in the process included; so of the variants on vectors only those take part that are as wide
         * as the default's.
         */
        THIS_PROCESS,

        /**
         * In processes of their own, one for each backend. All variants take part. A search that is interrupted is kept
         * as far as it came.
         */
        OWN_PROCESSES
    }

    /**
     * Prepares tuning in this process.
     *
     * @param provider the generated factory
     */
    public KernelTuner(KernelProvider provider) {
        this(provider, Isolation.THIS_PROCESS);
    }

    /**
     * Prepares the tuning of a specification, on this machine and for the store of this process.
     *
     * @param provider the generated factory
     * @param isolation where variants are run
     */
    public KernelTuner(KernelProvider provider, Isolation isolation) {
        this(provider, isolation, KernelPolicy.free(), Attune.platform());
    }

    /** Prepares the tuning of a specification; variants that a policy forbids are not run. */
    KernelTuner(KernelProvider provider, Isolation isolation, KernelPolicy policy, Platform platform) {
        this.provider = Objects.requireNonNull(provider, "provider is null");
        this.isolation = Objects.requireNonNull(isolation, "isolation is null");
        this.policy = policy.onlyForbidding();
        this.platform = platform;
        this.meter = platform.meter();
        this.store = platform.store(provider.openCl().isPresent());
        this.trials = new Trials(provider, isolation, meter, store.environment().vmFlags());
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
        return store.find(KnownVariants.key(provider, policy, TuningKey.bucket(contextTokens), threads));
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
        return KnownVariants.key(provider, KernelPolicy.free(), contextTokens, threads);
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
     * Verifies and times all variants, and saves the record. Of more variants than can be compared with one another in
     * any reasonable time, it compares those that a search comes to.
     *
     * @param contextTokens tokens of a cache; the power of two below counts
     * @param threads threads at work, 1 to 1024
     * @param budget how long it may take; if it is too short to tell, the default stays
     * @param listener is told about progress
     * @throws java.util.concurrent.CancellationException if the thread was interrupted, which it stays
     * @throws IllegalStateException if there is not enough memory for such caches, even the default fails, or a process
     *     of its own ended
     */
    public TuningRecord tune(int contextTokens, int threads, Duration budget, ContestListener listener) {
        ThreadCount.require(threads, "threads");
        return measure(TuningKey.bucket(contextTokens), threads, Optional.empty(), budget, listener);
    }

    /**
     * Goes on with a measurement that left variants out, as {@link #tune} does. A search begins at the best so far, and
     * compares no variant that was compared; where all variants are compared, they are compared anew.
     *
     * @param record what {@link #known} returned
     * @throws IllegalArgumentException if the record is not of these kernels
     */
    public TuningRecord goOn(TuningRecord record, Duration budget, ContestListener listener) {
        TuningKey key = record.key();
        if (!key.equals(KnownVariants.key(provider, policy, key.contextTokens(), key.threads()))) {
            throw new IllegalArgumentException("record is of " + key + ", which are not the kernels of "
                    + provider.specification().getName() + "; take one that known() returned");
        }
        return measure(key.contextTokens(), key.threads(), Optional.of(record), budget, listener);
    }

    private TuningRecord measure(
            int tokens, int threads, Optional<TuningRecord> before, Duration budget, ContestListener listener) {
        long end = meter.nanoTime().getAsLong() + budget.toNanos();
        prepare(budget, listener);
        TuningFindings findings = new TuningFindings(
                provider,
                trials,
                untuned.variant(),
                KnownVariants.key(provider, policy, tokens, threads),
                before.filter(record -> searching && usesThisDefault(record)));
        double tokenHeads = findings.tokenHeads();
        ContestListener perTokenHead = progress -> listener.round(new ContestListener.Progress(
                progress.stage(), progress.fraction(), progress.best(), progress.bestNanos() / tokenHeads));
        Contest.Outcome outcome;
        try {
            outcome = searching
                    ? search(findings, end, perTokenHead)
                    : compareAll(findings.key(), end, perTokenHead);
        } finally {
            trials.empty();
        }
        TuningRecord record = searching ? findings.ofSearch(outcome) : findings.ofContest(outcome);
        if (outcome.conclusive()) {
            store.save(record);
        }
        print(record);
        return record;
    }

    /** Where another default was refused or forbidden since, what was compared with it is compared anew. */
    private boolean usesThisDefault(TuningRecord record) {
        return record.defaultVariant().equals(untuned.variant().name());
    }

    private Contest.Outcome compareAll(TuningKey key, long end, ContestListener listener) {
        List<KernelVariant> variants = new ArrayList<>(provider.variants());
        variants.removeIf(variant -> !trials.prepared(variant) || trials.out().containsKey(variant.name()));
        variants.remove(untuned.variant());
        if (!defaultTakesPart(key)) {
            return withoutTheDefault(variants);
        }
        variants.addFirst(untuned.variant());
        return trials.contest(variants, key.contextTokens(), key.threads(), () -> end, listener);
    }

    /** Returns whether there is code of the default that deserves the name, and a cache for it. */
    private boolean defaultTakesPart(TuningKey key) {
        KernelVariant standard = untuned.variant();
        return !trials.out().containsKey(standard.name())
                && trials.fill(List.of(standard), key.contextTokens(), key.threads()).isEmpty();
    }

    /** A default that cannot be timed would lose by chance: then nothing is found out. */
    private Contest.Outcome withoutTheDefault(List<KernelVariant> others) {
        String standard = untuned.variant().name();
        String why = trials.out().containsKey(standard) ? trials.out().get(standard).reason() : "";
        List<CandidateResult> results = new ArrayList<>();
        results.add(CandidateResult.untimed(standard, Verdict.TIMED, why));
        others.forEach(each -> results.add(CandidateResult.untimed(each.name(), Verdict.TIMED, "")));
        return new Contest.Outcome(
                standard, false, "the default, nothing could be compared with it; give more time", results);
    }

    /** Searches, and keeps what was found after every race, so that an interrupted search can go on. */
    private Contest.Outcome search(TuningFindings findings, long end, ContestListener listener) {
        TuningKey key = findings.key();
        if (!defaultTakesPart(key)) {
            return withoutTheDefault(List.of());
        }
        boolean keeps = isolation == Isolation.OWN_PROCESSES
                && (findings.resumes() || known(key.contextTokens(), key.threads()).isEmpty());
        VariantSearch search = new VariantSearch(
                trials, key.contextTokens(), key.threads(), meter, listener, results -> {
                    if (keeps) {
                        findings.ofUnfinishedSearch(results).ifPresent(store::save);
                    }
                });
        Duration left = Duration.ofNanos(Math.max(0, end - meter.nanoTime().getAsLong()));
        return search.run(untuned.variant(), candidates(), findings.compared(), findings.best(), left);
    }

    /**
     * Verifies what can run here, and lets the just-in-time compiler see it: all variants, or of too many the default.
     * Done by the first call of {@link #tune} at the expense of its budget, unless it is done before.
     *
     * @param budget how much time there is; verification takes as long as it takes
     * @param listener is told about progress
     */
    public void prepare(Duration budget, ContestListener listener) {
        if (trials.prepared(untuned.variant())) {
            return;
        }
        for (Rung rung : untuned.ladder()) {
            KnownVariants.variant(provider, rung.variant())
                    .filter(variant -> !rung.supported())
                    .ifPresent(variant -> trials.rule(variant, Verdict.UNSUPPORTED, rung.reason()));
        }
        try {
            long end = meter.nanoTime().getAsLong() + (long) (budget.toNanos() * WARM_UP);
            searching = candidates().size() > MOST_COMPARED;
            do {
                trials.prepare(searching ? List.of(untuned.variant()) : candidates(), end, listener);
                replaceARefusedDefault();
            } while (!trials.prepared(untuned.variant()));
        } catch (RuntimeException | LinkageError failure) {
            close();
            throw failure;
        }
        List<KernelVariant> candidates = candidates();
        for (KernelVariant variant : provider.variants()) {
            boolean out = trials.out().containsKey(variant.name());
            if (!out && !trials.prepared(variant) && !candidates.contains(variant)) {
                trials.rule(
                        variant,
                        Verdict.LEFT_OUT,
                        "its vectors would spoil code of this process that is compiled for the default's; attune tune"
                                + " times it in a process of its own");
            }
        }
    }

    /** Returns what can run here and is worth timing, the default's backend first: without it there is no contest. */
    private List<KernelVariant> candidates() {
        Backend standard = untuned.variant().backend();
        return provider.variants().stream()
                .filter(variant -> !trials.out().containsKey(variant.name()))
                .filter(variant -> isolation == Isolation.OWN_PROCESSES
                        || !variant.backend().usesVectors()
                        || variant.backend() == standard)
                .sorted(Comparator.comparing(variant -> variant.backend() != standard))
                .toList();
    }

    /** Another takes its place, which may be one that was not tried yet. */
    private void replaceARefusedDefault() {
        Map<String, String> refused = new LinkedHashMap<>();
        trials.out().values().stream()
                .filter(result -> result.verdict() == Verdict.REFUSED)
                .forEach(result -> refused.put(result.variant(), result.reason()));
        if (refused.containsKey(untuned.variant().name())) {
            untuned = chooseWithout(refused);
        }
    }

    /** Ends the processes, if there are some. */
    @Override
    public void close() {
        trials.close();
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
