package dev.attune.runtime;

import dev.attune.runtime.tuning.ContestListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * Lets the just-in-time compiler do its work before anything is timed. Until they are compiled, vectors are objects,
 * and kernels are a hundred times slower; compiling the kernels of one variant takes seconds, on a busy machine many.
 * All variants take turns, so that the compiler always has something to do.
 *
 * <p>That it is done shows in what a step allocates: nothing. One more thing can go wrong. Code of the Vector API that
 * has seen vectors of several widths may be compiled for good in a way that makes objects of them, and this shows
 * alike.
 */
final class CompilerWarmUp {

    private static final double IMPROVED = 0.97;

    /** Nothing more is expected of the compiler when nobody has improved for so long. */
    private static final long QUIET_NANOS = 1_500_000_000L;

    private final List<Step> steps;
    private final Meter meter;

    /** A decode step of a variant, and how its last runs went. */
    static final class Step {

        private final Runnable work;
        private final double settledBytes;
        private double fastest = Double.POSITIVE_INFINITY;
        private long bytes;

        /**
         * Prepares a step.
         *
         * @param settledBytes how much compiled code may allocate in it
         */
        Step(Runnable work, double settledBytes) {
            this.work = work;
            this.settledBytes = settledBytes;
        }

        /** Returns the bytes that the last run allocated. */
        long bytes() {
            return bytes;
        }

        /** Returns whether the compiler is done with it. */
        boolean settled() {
            return bytes <= settledBytes;
        }

        /** Returns whether this run was faster than all before by more than chance. */
        private boolean run(Meter meter) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancellationException("the warm-up was cancelled");
            }
            long bytesBefore = meter.allocatedBytes().getAsLong();
            long start = meter.nanoTime().getAsLong();
            work.run();
            long nanos = meter.nanoTime().getAsLong() - start;
            bytes = meter.allocatedBytes().getAsLong() - bytesBefore;
            boolean improved = nanos < IMPROVED * fastest;
            fastest = Math.min(fastest, nanos);
            return improved;
        }
    }

    /** Prepares a warm-up. */
    CompilerWarmUp(List<Step> steps, Meter meter) {
        this.steps = new ArrayList<>(steps);
        this.meter = meter;
    }

    /**
     * Repeats all steps until all are settled and none has improved for some time.
     *
     * @param limit nanoseconds it may take
     * @throws CancellationException if the thread was interrupted, which it stays
     */
    void run(long limit, ContestListener listener) {
        if (steps.isEmpty()) {
            return;
        }
        long start = meter.nanoTime().getAsLong();
        long improved = start;
        boolean settled = false;
        long now = start;
        while (now - start < limit && !(settled && now - improved >= QUIET_NANOS)) {
            settled = true;
            for (Step step : steps) {
                if (step.run(meter)) {
                    improved = meter.nanoTime().getAsLong();
                }
                settled &= step.settled();
            }
            now = meter.nanoTime().getAsLong();
            double done = Math.min((now - start) / (double) limit, 1);
            listener.round(new ContestListener.Progress("compiling", done, "", Double.NaN));
        }
    }
}
