package dev.attune.bench.measure;

/** Something that is timed beside others. */
@FunctionalInterface
public interface Contestant {

    /** Does it once. Allocates nothing, so that what is timed is not the garbage collector. */
    void step();
}
