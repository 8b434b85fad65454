package dev.attune.runtime.tuning;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What measuring all candidates came to.
 *
 * @param key what was measured
 * @param chosen name of the variant to use
 * @param defaultVariant name of the variant that would be used without measurements
 * @param reason why that one was chosen, with numbers, in words
 * @param measuredAt when, by the clock of the machine; for readers only
 * @param candidates every candidate and what became of it, in the order of the specification
 */
public record TuningRecord(
        TuningKey key,
        String chosen,
        String defaultVariant,
        String reason,
        Instant measuredAt,
        List<CandidateResult> candidates) {

    /**
     * Copies the list of candidates.
     *
     * @throws IllegalArgumentException if the chosen variant is not among the candidates that were timed, the default
     *     is no candidate, or a candidate is there twice
     */
    public TuningRecord {
        Objects.requireNonNull(key, "key is null");
        Objects.requireNonNull(chosen, "chosen is null");
        Objects.requireNonNull(defaultVariant, "defaultVariant is null");
        Objects.requireNonNull(reason, "reason is null");
        Objects.requireNonNull(measuredAt, "measuredAt is null");
        candidates = List.copyOf(candidates);
        if (candidates.stream().noneMatch(each -> each.variant().equals(chosen) && each.verdict() == Verdict.TIMED)) {
            throw new IllegalArgumentException("the chosen variant " + chosen + " is not among the timed candidates");
        }
        List<String> variants = candidates.stream().map(CandidateResult::variant).toList();
        if (!variants.contains(defaultVariant)) {
            throw new IllegalArgumentException("the default variant " + defaultVariant + " is no candidate");
        }
        if (variants.stream().distinct().count() < variants.size()) {
            throw new IllegalArgumentException("a variant is a candidate twice: " + variants);
        }
    }

    /** Returns what became of a variant. */
    public Optional<CandidateResult> candidate(String variant) {
        return candidates.stream()
                .filter(candidate -> candidate.variant().equals(variant))
                .findFirst();
    }
}
