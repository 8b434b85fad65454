package dev.attune.runtime.tuning;

/** Is told how a contest goes on; called on the thread that holds it, between timings. */
public interface ContestListener {

    /** Hears nothing. */
    ContestListener SILENT = progress -> {};

    /**
     * How far a contest is.
     *
     * @param stage what is done, in a word or two
     * @param fraction how much of the time at hand is used up, 0 to 1
     * @param best name of the fastest so far; empty before anyone was timed
     * @param bestNanos its median
     */
    record Progress(String stage, double fraction, String best, double bestNanos) {}

    /** Is told after every round. */
    void round(Progress progress);
}
