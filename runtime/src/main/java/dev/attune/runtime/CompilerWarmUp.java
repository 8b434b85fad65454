package dev.attune.runtime;

import dev.attune.runtime.tuning.ContestListener;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;

/**
 * Lets the just-in-time compiler do its work before anything is timed. Until they are compiled, vectors are objects, and
 * kernels are a hundred times slower; compiling the kernels of one variant takes seconds. All variants take turns, so
 * that the compiler always has something to do.
 */
final class CompilerWarmUp {

    private static final double IMPROVED = 0.97;

    /** Nothing more is expected of the compiler when nobody has improved for so long. */
    private static final long QUIET_NANOS = 2_500_000_000L;

    private final List<Runnable> steps;
    private final LongSupplier nanoTime;
    private final double[] fastest;

    /**
     * Prepares a warm-up.
     *
     * @param steps a decode step of each variant
     * @param nanoTime a clock that never goes back
     */
    CompilerWarmUp(List<Runnable> steps, LongSupplier nanoTime) {
        this.steps = steps;
        this.nanoTime = nanoTime;
        this.fastest = new double[steps.size()];
        Arrays.fill(fastest, Double.POSITIVE_INFINITY);
    }

    /**
     * Repeats all steps until none has improved for some time.
     *
     * @param limit nanoseconds it may take
     * @return nanoseconds of the fastest step of each
     * @throws CancellationException if the thread was interrupted, which it stays
     */
    double[] run(long limit, ContestListener listener) {
        long start = nanoTime.getAsLong();
        long improved = start;
        while (fastest.length > 0
                && nanoTime.getAsLong() - improved < QUIET_NANOS
                && nanoTime.getAsLong() - start < limit) {
            for (int i = 0; i < fastest.length; i++) {
                double nanos = nanos(steps.get(i), nanoTime);
                if (nanos < IMPROVED * fastest[i]) {
                    improved = nanoTime.getAsLong();
                }
                fastest[i] = Math.min(fastest[i], nanos);
            }
            double done = Math.min((nanoTime.getAsLong() - start) / (double) limit, 1);
            listener.round(new ContestListener.Progress("compiling", done, "", Double.NaN));
        }
        return fastest.clone();
    }

    /** Returns how long a step takes. */
    static double nanos(Runnable step, LongSupplier nanoTime) {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("the warm-up was cancelled");
        }
        long start = nanoTime.getAsLong();
        step.run();
        return nanoTime.getAsLong() - start;
    }
}
