package dev.attune.runtime;

import dev.attune.annotations.Backend;
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
 * only if it is faster beyond doubt: tuning never makes anything slower. A tuner is for one thread; an interrupt cancels
 * it, with nothing saved but the records that are complete. Its processes end when it is closed; without any there is
 * nothing to close.
 */
public final class KernelTuner implements AutoCloseable {

    /** How measurements are made, as their keys name it: another way would make another name. */
    public static final String POLICY = "interleaved-2";

    /** Share of a budget that the first call may spend on letting the just-in-time compiler do its work. */
    private static final double WARM_UP = 0.6;

    /** Share of what is left of that for a backend, so that one that is never compiled leaves some to the others. */
    private static final double SHARE_OF_OTHERS = 2.0 / 3;

    private final KernelProvider provider;
    private final KernelPolicy policy;
    private final Platform platform;
    private final Meter meter;
    private final Isolation isolation;
    private final TuningStore store;

    /** The choice without measurements: among what can run here, and once verified, among what passed. */
    private VariantChoice untuned;

    /** Where variants run; empty until they are prepared. */
    private final List<Trial> trials = new ArrayList<>();

    /** What is known to speak against variants, by name; what was verified has nothing. */
    private final Map<String, CandidateResult> out = new LinkedHashMap<>();

    /** Where variants are run. */
    public enum Isolation {

        /**
         * In this process. Vectors of several widths in one process spoil each other's compiled code, that of decode steps
         * elsewhere in the process included; so of the variants on vectors only those take part that are as wide as the
         * default's.
         */
        THIS_PROCESS,

        /** In processes of their own, one for each backend. All variants take part. */
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
     * Verifies and times all variants, and saves the record.
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
        long start = meter.nanoTime().getAsLong();
        int tokens = TuningKey.bucket(contextTokens);
        prepare(budget, listener);
        Map<String, CandidateResult> results = new LinkedHashMap<>(out);
        double tokenHeads = (double) tokens * provider.shape().keyValueHeads();
        Contest.Outcome outcome;
        try {
            trials.forEach(trial -> results.putAll(trial.fill(tokens, threads)));
            Duration left = budget.minusNanos(meter.nanoTime().getAsLong() - start);
            outcome = hold(contestants(results), left.isNegative() ? Duration.ZERO : left, tokenHeads, listener);
        } finally {
            trials.forEach(Trial::empty);
        }
        outcome.results().forEach(result -> results.put(result.variant(), perTokenHead(result, tokenHeads)));
        TuningRecord record = new TuningRecord(
                KnownVariants.key(provider, policy, tokens, threads),
                outcome.winner(),
                untuned.variant().name(),
                outcome.reason(),
                Instant.now(),
                provider.variants().stream().map(variant -> results.get(variant.name())).toList());
        if (outcome.conclusive()) {
            store.save(record);
        }
        print(record);
        return record;
    }

    /** A default without code that deserves the name would lose by chance: then nothing is found out. */
    private Contest.Outcome hold(
            List<Contestant> contestants, Duration budget, double tokenHeads, ContestListener listener) {
        String standard = untuned.variant().name();
        if (contestants.isEmpty() || !contestants.getFirst().name().equals(standard)) {
            String why = out.containsKey(standard) ? out.get(standard).reason() : "";
            List<CandidateResult> results = new ArrayList<>();
            results.add(CandidateResult.untimed(standard, Verdict.TIMED, why));
            contestants.forEach(each -> results.add(CandidateResult.untimed(each.name(), Verdict.TIMED, "")));
            return new Contest.Outcome(
                    standard, false, "the default, nothing could be compared with it; give more time", results);
        }
        ContestListener perTokenHead = progress -> listener.round(new ContestListener.Progress(
                progress.stage(), progress.fraction(), progress.best(), progress.bestNanos() / tokenHeads));
        return new Contest(contestants, meter.nanoTime(), perTokenHead).hold(budget);
    }

    /** Returns the default and then all others that nothing speaks against. */
    private List<Contestant> contestants(Map<String, CandidateResult> spokenAgainst) {
        List<Contestant> contestants = new ArrayList<>();
        for (Trial trial : trials) {
            for (KernelVariant variant : trial.variants()) {
                if (!spokenAgainst.containsKey(variant.name())) {
                    int place = variant.equals(untuned.variant()) ? 0 : contestants.size();
                    contestants.add(place, trial.contestant(variant));
                }
            }
        }
        return contestants;
    }

    /**
     * Verifies what can run here, and lets the just-in-time compiler see it. Done by the first call of {@link #tune} at
     * the expense of its budget, unless it is done before.
     *
     * @param budget how much time there is; verification takes as long as it takes
     * @param listener is told about progress
     */
    public void prepare(Duration budget, ContestListener listener) {
        if (!trials.isEmpty()) {
            return;
        }
        for (Rung rung : untuned.ladder()) {
            if (!rung.supported() && provider.variants().stream().anyMatch(each -> each.name().equals(rung.variant()))) {
                out.put(rung.variant(), CandidateResult.untimed(rung.variant(), Verdict.UNSUPPORTED, rung.reason()));
            }
        }
        try {
            long end = meter.nanoTime().getAsLong() + (long) (budget.toNanos() * WARM_UP);
            do {
                prepare(newTrials(), end, listener);
            } while (!defaultWasTried());
        } catch (RuntimeException | LinkageError failure) {
            close();
            throw failure;
        }
        leaveOut(
                untried(),
                "its vectors would spoil code of this process that is compiled for the default's; attune tune times it"
                        + " in a process of its own");
    }

    private void leaveOut(List<KernelVariant> variants, String why) {
        variants.forEach(variant ->
                out.put(variant.name(), CandidateResult.untimed(variant.name(), Verdict.LEFT_OUT, why)));
    }

    /**
     * Begins and ends some trials at a time: in each, one thread runs interpreted code, and one compiles it. What one
     * leaves of the time is there for the next; those for which none is left are left out. The first, which has the
     * default, is never left out and may take it all.
     */
    private void prepare(List<Trial> some, long end, ContestListener listener) {
        int atATime = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        for (int first = 0; first < some.size(); first += atATime) {
            List<Trial> next = some.subList(first, Math.min(first + atATime, some.size()));
            long left = Math.max(0, end - meter.nanoTime().getAsLong());
            if (first > 0 && left == 0) {
                next.forEach(trial -> leaveOut(trial.variants(), "no time was left to verify and compile it"));
                continue;
            }
            trials.addAll(next);
            boolean others = first > 0 && first + atATime < some.size();
            long share = others ? (long) (left * SHARE_OF_OTHERS) : left;
            next.forEach(trial -> trial.begin(share));
            next.forEach(trial -> out.putAll(trial.prepared(listener)));
        }
    }

    /** Returns trials, not begun, for what can run here and has none; not for what has to be left out. */
    private List<Trial> newTrials() {
        List<KernelVariant> untried = untried();
        if (isolation == Isolation.THIS_PROCESS) {
            untried.removeIf(variant -> variant.backend().usesVectors()
                    && variant.backend() != untuned.variant().backend());
            return List.of(new LocalTrial(provider, untried, meter));
        }
        // The default's backend first: without it there is no contest, whatever becomes of the others.
        Map<Backend, List<KernelVariant>> byBackend = new LinkedHashMap<>();
        byBackend.put(untuned.variant().backend(), new ArrayList<>());
        untried.forEach(each -> byBackend.computeIfAbsent(each.backend(), key -> new ArrayList<>()).add(each));
        List<Trial> trials = new ArrayList<>();
        byBackend.values().forEach(variants ->
                trials.add(new RemoteTrial(provider.specification(), variants, store.environment().vmFlags())));
        return trials;
    }

    /** Returns what can run here and has no trial. */
    private List<KernelVariant> untried() {
        List<KernelVariant> untried = new ArrayList<>(provider.variants());
        untried.removeIf(variant -> out.containsKey(variant.name()));
        trials.forEach(trial -> untried.removeAll(trial.variants()));
        return untried;
    }

    /** If the default was refused, another takes its place, which may be one that was not tried yet. */
    private boolean defaultWasTried() {
        Map<String, String> refused = new LinkedHashMap<>();
        out.values().stream()
                .filter(result -> result.verdict() == Verdict.REFUSED)
                .forEach(result -> refused.put(result.variant(), result.reason()));
        if (refused.containsKey(untuned.variant().name())) {
            untuned = chooseWithout(refused);
        }
        return !untried().contains(untuned.variant());
    }

    /** Ends the processes, if there are some. */
    @Override
    public void close() {
        trials.forEach(Trial::close);
        trials.clear();
        out.clear();
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
