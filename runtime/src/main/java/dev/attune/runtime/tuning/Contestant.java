package dev.attune.runtime.tuning;

/** Something to be timed. */
public interface Contestant {

    /** Returns its name, unique in a contest. */
    String name();

    /** Does once what is timed. What it throws takes it out of the contest. */
    void run();
}
