package dev.attune.runtime.tuning;

/** Something to be timed. */
public interface Contestant {

    /** Returns its name, unique in a contest. */
    String name();

    /**
     * Does several times in a row what is timed. What it throws takes it out of the contest; but a
     * {@link java.util.concurrent.CancellationException} or a {@link ContestAbortedException} ends the contest.
     *
     * @param times how often, at least once
     */
    void run(int times);
}
