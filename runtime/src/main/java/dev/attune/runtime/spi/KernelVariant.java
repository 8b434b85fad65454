package dev.attune.runtime.spi;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;

/**
 * One way to run the kernels of a specification. All Java variants read and write the same packed cache, and those of
 * one backend pack alike; they differ in how a decode step goes about it.
 *
 * @param name what users call it: the backend's name, {@code vector512}, for its default, else with what sets it apart,
 *     {@code vector512-heads2-streams2}; unique within the specification
 * @param backend what it runs on
 * @param strategy how it looks entries up
 * @param headGroup query heads that share one pass over the packed tokens
 * @param streams tiles, from as many places of the cache, that are read at once
 * @param readAheadTiles tiles that are read once, in order, before the kernels read them piecemeal; 0 for none
 */
public record KernelVariant(
        String name, Backend backend, Strategy strategy, int headGroup, int streams, int readAheadTiles) {

    /** Returns the name. */
    @Override
    public String toString() {
        return name;
    }
}
