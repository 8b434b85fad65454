package dev.attune.bench.report;

import dev.attune.runtime.tuning.Distribution;


/**
 * How far a figure spreads over the rounds: half of them lie between the two.
 *
 * @param lower lower quartile
 * @param upper upper quartile
 */
public record Quartiles(double lower, double upper) {

    static Quartiles of(Distribution distribution) {
        return new Quartiles(distribution.lowerQuartile(), distribution.upperQuartile());
    }
}
