package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.KernelTuner.Isolation;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contest;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Contestant;
import dev.attune.runtime.tuning.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The variants of a specification at work, all in this process or each backend in one of its own, and what is known to
 * speak against them.
 */
final class Trials implements AutoCloseable {

    /** Share of the time that is left for a trial, so that one that is never compiled leaves some to the others. */
    private static final double SHARE_OF_OTHERS = 2.0 / 3;

    private final KernelProvider provider;
    private final Isolation isolation;
    private final Meter meter;
    private final String vmOptions;

    /** By backend; one without a name if all run in this process. */
    private final Map<Optional<Backend>, Trial> trials = new LinkedHashMap<>();

    private final Set<KernelVariant> prepared = new LinkedHashSet<>();
    private final Map<String, CandidateResult> out = new LinkedHashMap<>();

    /**
     * Prepares trials; nothing is started before it is needed.
     *
     * @param vmOptions options of this JVM that change compiled code, with spaces between them
     */
    Trials(KernelProvider provider, Isolation isolation, Meter meter, String vmOptions) {
        this.provider = provider;
        this.isolation = isolation;
        this.meter = meter;
        this.vmOptions = vmOptions;
    }

    /** Returns what speaks against variants, by name: they are not to be timed. */
    Map<String, CandidateResult> out() {
        return out;
    }

    /** Takes note of what speaks against a variant. */
    void rule(KernelVariant variant, Verdict verdict, String reason) {
        out.put(variant.name(), CandidateResult.untimed(variant.name(), verdict, reason));
    }

    /** Returns whether a variant was verified and compiled, and whether or not it passed. */
    boolean prepared(KernelVariant variant) {
        return prepared.contains(variant);
    }

    /**
     * Verifies variants that were not yet, and lets the just-in-time compiler do its work. Some trials at a time: in
     * each, one thread runs interpreted code, and one compiles it. What one leaves of the time is there for the next;
     * those for which none is left are left out. The first variant's trial is never left out and may take it all.
     *
     * @param variants not those that something speaks against
     * @param end when it should be done, as the clock shows
     * @throws java.util.concurrent.CancellationException if the thread was interrupted, which it stays
     */
    void prepare(List<KernelVariant> variants, long end, ContestListener listener) {
        Map<Trial, List<KernelVariant>> byTrial = byTrial(
                variants.stream().filter(variant -> !prepared.contains(variant)).toList());
        prepared.addAll(variants);
        List<Trial> some = List.copyOf(byTrial.keySet());
        int atATime = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        for (int first = 0; first < some.size(); first += atATime) {
            List<Trial> next = some.subList(first, Math.min(first + atATime, some.size()));
            long left = Math.max(0, end - meter.nanoTime().getAsLong());
            if (first > 0 && left == 0) {
                next.forEach(trial -> byTrial.get(trial).forEach(variant ->
                        rule(variant, Verdict.LEFT_OUT, "no time was left to verify and compile it")));
                continue;
            }
            boolean others = first > 0 && first + atATime < some.size();
            long share = others ? (long) (left * SHARE_OF_OTHERS) : left;
            try {
                next.forEach(trial -> trial.begin(byTrial.get(trial), share));
                next.forEach(trial -> out.putAll(trial.prepared(listener)));
            } catch (RuntimeException | LinkageError failure) {
                // A process may still have answers to give, which the next question would take for its own.
                close();
                throw failure;
            }
        }
    }

    private Map<Trial, List<KernelVariant>> byTrial(List<KernelVariant> variants) {
        Map<Trial, List<KernelVariant>> byTrial = new LinkedHashMap<>();
        for (KernelVariant variant : variants) {
            byTrial.computeIfAbsent(trial(variant), first -> new ArrayList<>()).add(variant);
        }
        return byTrial;
    }

    private Trial trial(KernelVariant variant) {
        Optional<Backend> backend = Optional.of(variant.backend()).filter(each -> isolation == Isolation.OWN_PROCESSES);
        return trials.computeIfAbsent(backend, first -> backend.isPresent()
                ? new RemoteTrial(provider.specification(), provider.variant(variant.backend()).name(), vmOptions)
                : new LocalTrial(provider, meter));
    }

    /**
     * Makes caches for variants to run on, where there are none yet.
     *
     * @param variants some that are prepared, and that nothing speaks against
     * @param tokens tokens of each cache
     * @param threads threads at work
     * @return what speaks against variants on such caches, by name
     * @throws IllegalStateException if there is not enough memory for such caches
     */
    Map<String, CandidateResult> fill(List<KernelVariant> variants, int tokens, int threads) {
        Map<String, CandidateResult> impossible = new LinkedHashMap<>();
        byTrial(variants).forEach((trial, some) -> impossible.putAll(trial.fill(some, tokens, threads)));
        return impossible;
    }

    /**
     * Holds a contest of those variants that there can be caches for.
     *
     * @param variants as {@link #fill} takes them, the default first, which is not to lack a cache
     * @param end says, once there are caches, when it should be done, as the clock shows
     * @return what came of it, with what speaks against those without a cache among the results
     * @throws java.util.concurrent.CancellationException if the thread was interrupted, which it stays
     */
    Contest.Outcome contest(
            List<KernelVariant> variants, int tokens, int threads, LongSupplier end, ContestListener listener) {
        Map<String, CandidateResult> impossible = fill(variants, tokens, threads);
        List<Contestant> contestants = variants.stream()
                .filter(variant -> !impossible.containsKey(variant.name()))
                .map(variant -> trial(variant).contestant(variant))
                .toList();
        Duration left = Duration.ofNanos(Math.max(0, end.getAsLong() - meter.nanoTime().getAsLong()));
        Contest.Outcome outcome = new Contest(contestants, meter.nanoTime(), listener).hold(left);
        List<CandidateResult> results = new ArrayList<>(impossible.values());
        results.addAll(outcome.results());
        return new Contest.Outcome(outcome.winner(), outcome.conclusive(), outcome.reason(), results);
    }

    /** Gives the caches back. */
    void empty() {
        trials.values().forEach(Trial::empty);
    }

    /** Ends the processes, if there are some, and forgets everything. */
    @Override
    public void close() {
        trials.values().forEach(Trial::close);
        trials.clear();
        prepared.clear();
        out.clear();
    }
}
