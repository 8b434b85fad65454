package dev.attune.runtime.tuning;

import java.util.Objects;

/**
 * What became of one candidate.
 *
 * @param variant its name
 * @param verdict what became of it
 * @param reason why, in words; empty if there is nothing to say
 * @param medianNanos median of its rounds, in nanoseconds per token and key-value head; not-a-number if it has none
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

    /**
     * Takes infinity, the time of what never ended, for no time.
     *
     * @throws IllegalArgumentException if a time or the number of rounds is negative
     */
    public CandidateResult {
        Objects.requireNonNull(variant, "variant is null");
        Objects.requireNonNull(verdict, "verdict is null");
        Objects.requireNonNull(reason, "reason is null");
        medianNanos = requireTime(medianNanos, "medianNanos");
        lowerQuartileNanos = requireTime(lowerQuartileNanos, "lowerQuartileNanos");
        upperQuartileNanos = requireTime(upperQuartileNanos, "upperQuartileNanos");
        if (rounds < 0) {
            throw new IllegalArgumentException("rounds = " + rounds + " is negative");
        }
    }

    private static double requireTime(double nanos, String name) {
        if (nanos < 0) {
            throw new IllegalArgumentException(name + " = " + nanos + " is negative");
        }
        return Double.isFinite(nanos) ? nanos : Double.NaN;
    }

    /** Returns the same times with another verdict. */
    public CandidateResult as(Verdict otherVerdict, String otherReason) {
        return new CandidateResult(
                variant, otherVerdict, otherReason, medianNanos, lowerQuartileNanos, upperQuartileNanos, rounds);
    }

    /** Returns the result of a candidate that was not timed. */
    public static CandidateResult untimed(String variant, Verdict verdict, String reason) {
        return new CandidateResult(variant, verdict, reason, Double.NaN, Double.NaN, Double.NaN, 0);
    }
}
