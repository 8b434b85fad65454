package dev.attune.bench.workload;

import dev.attune.annotations.Backend;
import dev.attune.bench.measure.Contestant;

/** One operation on all tokens and key-value heads of one layer. Closing it frees its memory. */
public interface Workload extends Contestant, AutoCloseable {

    /** Returns the backend that does it. */
    Backend backend();

    /** Returns how many pairs of a token and a key-value head one step handles. */
    long tokenHeads();

    /**
     * Returns the bytes a step has to read, or for packing to read and write, whatever it does: all parts of the cache
     * that the operation needs. Queries, scores and weights stay in the processor's caches and are left out.
     */
    long bytes();

    @Override
    void close();
}
