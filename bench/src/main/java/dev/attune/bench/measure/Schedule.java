package dev.attune.bench.measure;

import java.time.Duration;

/**
 * How long to measure. These are elapsed times, whatever clock the contestants are timed by.
 *
 * @param window how long contestants are looked at during the warm-up before it is asked whether they improved
 * @param longestWarmUp when to begin even if times have not settled
 * @param measured for how long rounds are counted
 * @param leastRounds how many rounds to count at least
 * @param turn how long a turn lasts at least: shorter steps are repeated
 */
public record Schedule(Duration window, Duration longestWarmUp, Duration measured, int leastRounds, Duration turn) {

    /**
     * Returns a schedule of the usual windows and turns.
     *
     * @param longestWarmUp when to begin at the latest
     * @param measured for how long rounds are counted
     */
    public static Schedule of(Duration longestWarmUp, Duration measured) {
        return new Schedule(Duration.ofMillis(300), longestWarmUp, measured, 5, Duration.ofMillis(4));
    }
}
