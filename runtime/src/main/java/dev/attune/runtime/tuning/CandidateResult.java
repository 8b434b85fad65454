package dev.attune.runtime.tuning;

import java.util.Objects;

/**
 * What became of one candidate.
 *
 * @param variant its name
 * @param verdict what became of it
 * @param reason why, in words; empty if there is nothing to say
 * @param medianNanos median of its rounds, in nanoseconds per token and key-value head; not-a-number if it was not timed
 * @param lowerQuartileNanos a quarter of the rounds took less
 * @param upperQuartileNanos a quarter of the rounds took more
 * @param rounds how many rounds there were
 */
public record CandidateResult(
        String variant,
        Verdict verdict,
        String reason,
        double medianNanos,
        double lowerQuartileNanos,
        double upperQuartileNanos,
        int rounds) {

    /** Refuses nulls. */
    public CandidateResult {
        Objects.requireNonNull(variant, "variant is null");
        Objects.requireNonNull(verdict, "verdict is null");
        Objects.requireNonNull(reason, "reason is null");
    }

    /** Returns the result of a candidate that was not timed. */
    public static CandidateResult untimed(String variant, Verdict verdict, String reason) {
        return new CandidateResult(variant, verdict, reason, Double.NaN, Double.NaN, Double.NaN, 0);
    }
}
