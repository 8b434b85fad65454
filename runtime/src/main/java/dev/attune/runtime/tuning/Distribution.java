package dev.attune.runtime.tuning;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * The middle of a sample and how far it spreads.
 *
 * @param lowerQuartile a quarter of the sample is at most this
 * @param median half of the sample is at most this
 * @param upperQuartile three quarters of the sample are at most this
 */
public record Distribution(double lowerQuartile, double median, double upperQuartile) {

    /**
     * Describes a sample; quartiles between two of its numbers are interpolated.
     *
     * @throws IllegalArgumentException if the sample is empty
     */
    public static Distribution of(double[] sample) {
        if (sample.length == 0) {
            throw new IllegalArgumentException("a sample of no numbers has no median; take at least one");
        }
        double[] sorted = sample.clone();
        Arrays.sort(sorted);
        return new Distribution(quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75));
    }

    private static double quantile(double[] sorted, double fraction) {
        double position = fraction * (sorted.length - 1);
        int below = (int) position;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }

    /** Returns the distribution of an increasing function of the numbers; exact up to interpolation. */
    public Distribution map(DoubleUnaryOperator increasing) {
        return new Distribution(
                increasing.applyAsDouble(lowerQuartile),
                increasing.applyAsDouble(median),
                increasing.applyAsDouble(upperQuartile));
    }
}
