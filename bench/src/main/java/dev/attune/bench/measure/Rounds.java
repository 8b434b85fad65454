package dev.attune.bench.measure;

import dev.attune.runtime.tuning.Distribution;
import java.util.Arrays;

/**
 * What every contestant took in every round.
 *
 * <p>Ratios are formed within a round, between turns that are milliseconds apart, and only then summarised: what slows
 * the machine for longer than a round slows both sides.
 *
 * @param nanos {@code [contestants][rounds]}: nanoseconds of one step
 * @param settled whether times had stopped falling when the first round began
 */
public record Rounds(double[][] nanos, boolean settled) {

    /** Returns the number of rounds. */
    public int count() {
        return nanos[0].length;
    }

    /** Returns the nanoseconds of a contestant's step. */
    public Distribution nanos(int contestant) {
        return Distribution.of(nanos[contestant]);
    }

    /** Returns how many times as fast as another contestant one is: the other's time of a step by its own. */
    public Distribution speedup(int contestant, int other) {
        double[] ratios = new double[count()];
        Arrays.setAll(ratios, round -> nanos[other][round] / nanos[contestant][round]);
        return Distribution.of(ratios);
    }
}
