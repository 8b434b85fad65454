package dev.attune.runtime;

import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contestant;
import dev.attune.runtime.tuning.ContestListener;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * Where some variants of a specification are verified, compiled and run to be timed: here or in a process of their own.
 */
interface Trial extends AutoCloseable {

    /**
     * Begins to verify some more variants, and to let the just-in-time compiler do its work. Trials in other processes
     * go on with it while this one does something else.
     *
     * @param nanos how long the compiler may take; verification takes as long as it takes
     */
    void begin(List<KernelVariant> variants, long nanos);

    /**
     * Ends what {@link #begin} began.
     *
     * @return what speaks against these variants, by name: {@code REFUSED} is one that computes something wrong, and
     *     {@code LEFT_OUT} one that the compiler did not get done with
     * @throws CancellationException if the thread was interrupted, which it stays
     */
    Map<String, CandidateResult> prepared(ContestListener listener);

    /**
     * Makes caches for variants to run on, where there are none yet.
     *
     * @param variants some that are prepared, and that nothing speaks against
     * @param tokens tokens of each
     * @param threads threads at work
     * @return what speaks against variants on such caches, by name
     * @throws IllegalStateException if there is not enough memory for such caches
     */
    Map<String, CandidateResult> fill(List<KernelVariant> variants, int tokens, int threads);

    /** Returns a variant that there are caches for, to be run on them. */
    Contestant contestant(KernelVariant variant);

    /** Gives the caches back. */
    void empty();

    /** Gives the caches back, and ends the process if there is one. */
    @Override
    void close();
}
