package dev.attune.runtime;

import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contest;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Puts a record together from what was found now and before. */
final class TuningFindings {

    private final KernelProvider provider;
    private final Trials trials;
    private final KernelVariant standard;
    private final TuningKey key;
    private final Optional<TuningRecord> before;

    /**
     * Begins without anything found now.
     *
     * @param trials what speaks against variants
     * @param standard the default
     * @param key what is measured
     * @param before what was found before, with the same default
     */
    TuningFindings(
            KernelProvider provider,
            Trials trials,
            KernelVariant standard,
            TuningKey key,
            Optional<TuningRecord> before) {
        this.provider = provider;
        this.trials = trials;
        this.standard = standard;
        this.key = key;
        this.before = before;
    }

    /** Returns what is measured. */
    TuningKey key() {
        return key;
    }

    /** Returns whether there is something from before to add to. */
    boolean resumes() {
        return before.isPresent();
    }

    /** Returns how many tokens of key-value heads a step attends to: times are given for one. */
    double tokenHeads() {
        return (double) key.contextTokens() * provider.shape().keyValueHeads();
    }

    /** Returns the best so far. */
    KernelVariant best() {
        return before.flatMap(record -> KnownVariants.variant(provider, record.chosen()))
                .filter(variant -> !trials.out().containsKey(variant.name()))
                .orElse(standard);
    }

    /** Returns what has been compared before. */
    Set<KernelVariant> compared() {
        return provider.variants().stream()
                .filter(variant -> before.flatMap(record -> record.candidate(variant.name()))
                        .filter(result -> result.rounds() > 0)
                        .isPresent())
                .collect(Collectors.toSet());
    }

    /** Returns the record of a contest of all. */
    TuningRecord ofContest(Contest.Outcome outcome) {
        return record(outcome.winner(), outcome.reason(), outcome.results());
    }

    /** Returns the record of a search that came to its end. */
    TuningRecord ofSearch(Contest.Outcome outcome) {
        List<CandidateResult> candidates = ofContest(outcome).candidates();
        long compared =
                candidates.stream().filter(result -> result.rounds() > 0).count();
        long all = candidates.stream()
                .filter(result -> result.verdict() != Verdict.UNSUPPORTED)
                .count();
        String reason = outcome.reason() + "; a search compared " + compared + " of " + all + " variants";
        return record(outcome.winner(), reason, outcome.results());
    }

    /** Returns a record whose choice is the one before, with what is known about others; none if that has failed. */
    Optional<TuningRecord> ofUnfinishedSearch(Map<String, CandidateResult> results) {
        KernelVariant best = best();
        Map<String, CandidateResult> all = new LinkedHashMap<>(results);
        all.computeIfPresent(best.name(), (name, result) ->
                result.verdict() == Verdict.REFUSED ? result : result.as(Verdict.TIMED, ""));
        return Optional.ofNullable(all.get(best.name()))
                .filter(result -> result.verdict() == Verdict.TIMED)
                .map(result -> record(best.name(), "a search has not ended yet", all.values()));
    }

    /** Later results count more: those from here have nanoseconds of a step, those from before are not converted. */
    private TuningRecord record(String chosen, String reason, Collection<CandidateResult> results) {
        Map<String, CandidateResult> all = new LinkedHashMap<>();
        before.ifPresent(record -> record.candidates().stream()
                .filter(result -> result.verdict() != Verdict.LEFT_OUT)
                .forEach(result -> all.put(result.variant(), result)));
        all.putAll(trials.out());
        results.forEach(result -> all.put(result.variant(), perTokenHead(result)));
        List<CandidateResult> candidates = provider.variants().stream()
                .map(variant -> all.getOrDefault(
                        variant.name(),
                        CandidateResult.untimed(
                                variant.name(), Verdict.LEFT_OUT, "the search has not come to it yet")))
                .toList();
        return new TuningRecord(key, chosen, standard.name(), reason, Instant.now(), candidates);
    }

    private CandidateResult perTokenHead(CandidateResult result) {
        double tokenHeads = tokenHeads();
        return new CandidateResult(
                result.variant(),
                result.verdict(),
                result.reason(),
                result.medianNanos() / tokenHeads,
                result.lowerQuartileNanos() / tokenHeads,
                result.upperQuartileNanos() / tokenHeads,
                result.rounds());
    }
}
