package dev.attune.bench.measure;

import java.util.Arrays;
import java.util.List;

/**
 * Repeats contestants until the just-in-time compiler is done with them: that is, until every one had a step without
 * heap allocation, and the fastest step of none improved by more than 3 % over two windows of time.
 *
 * <p>Vectors that are not yet compiled to registers are objects, so allocation tells a kernel that still waits for the
 * compiler from one that is merely slow. The minimum is looked at because other work on the machine hardly moves it.
 */
final class WarmUp {

    private static final double IMPROVED = 0.97;
    private static final int STABLE_WINDOWS = 2;

    private final List<? extends Contestant> contestants;
    private final Clock clock;
    private final double[] fastest;
    private final long[] leastAllocated;
    private final boolean settled;

    /** Warms up until all is settled or the schedule's longest warm-up is over. */
    WarmUp(List<? extends Contestant> contestants, Clock clock, Schedule schedule) {
        this.contestants = contestants;
        this.clock = clock;
        fastest = new double[contestants.size()];
        leastAllocated = new long[contestants.size()];
        Arrays.fill(fastest, Double.POSITIVE_INFINITY);
        Arrays.fill(leastAllocated, Long.MAX_VALUE);
        long start = System.nanoTime();
        int stable = 0;
        while (stable < STABLE_WINDOWS && System.nanoTime() - start < schedule.longestWarmUp().toNanos()) {
            boolean improved = window(schedule.window().toNanos());
            stable = improved || Arrays.stream(leastAllocated).anyMatch(bytes -> bytes > 0) ? 0 : stable + 1;
        }
        settled = stable == STABLE_WINDOWS;
    }

    /** Returns whether the times had stopped falling. */
    boolean settled() {
        return settled;
    }

    /** Returns the nanoseconds of a contestant's fastest step. */
    double fastest(int contestant) {
        return fastest[contestant];
    }

    /** Lets all take turns for some time, and returns whether one of them improved. */
    private boolean window(long nanos) {
        double[] before = fastest.clone();
        long start = System.nanoTime();
        do {
            for (int i = 0; i < fastest.length; i++) {
                step(i);
            }
        } while (System.nanoTime() - start < nanos);
        for (int i = 0; i < fastest.length; i++) {
            if (fastest[i] < IMPROVED * before[i]) {
                return true;
            }
        }
        return false;
    }

    private void step(int contestant) {
        long allocated = Allocation.soFar();
        long start = clock.nanos();
        contestants.get(contestant).step();
        fastest[contestant] = Math.min(fastest[contestant], clock.nanos() - start);
        leastAllocated[contestant] = Math.min(leastAllocated[contestant], Allocation.soFar() - allocated);
    }
}
