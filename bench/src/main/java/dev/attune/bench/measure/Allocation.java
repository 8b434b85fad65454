package dev.attune.bench.measure;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what a step allocates on the heap, on all threads. */
public final class Allocation {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** The least of several counts is taken: other threads of the JVM, such as a progress bar's, allocate at times. */
    private static final int COUNTS = 5;

    private static final int STEPS = 4;

    private Allocation() {}

    /** Returns the heap bytes that all threads have allocated so far. */
    static long soFar() {
        return THREADS.getTotalThreadAllocatedBytes();
    }

    /** Returns the bytes a warmed-up contestant allocates per step. */
    public static long bytesPerStep(Contestant contestant) {
        long least = Long.MAX_VALUE;
        for (int count = 0; count < COUNTS; count++) {
            long before = soFar();
            for (int step = 0; step < STEPS; step++) {
                contestant.step();
            }
            least = Math.min(least, soFar() - before);
        }
        return Math.ceilDiv(least, STEPS);
    }
}
