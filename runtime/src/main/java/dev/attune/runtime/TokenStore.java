package dev.attune.runtime;

import java.lang.foreign.MemorySegment;

/**
 * Holds a cache's tokens and works on them, in host memory or in that of devices. What it holds at a moment is said by
 * {@link CacheContents}, which the cache publishes: methods that write fill places that no token occupies yet and
 * return the contents that count them in. Inputs are checked, and writers are alone.
 */
interface TokenStore {

    /** Returns the contents of an empty cache. */
    CacheContents nothing();

    /**
     * Stores a prompt in an empty cache.
     *
     * @param keys {@code [keyValueHeads][tokens][headDim]}
     * @param values {@code [keyValueHeads][tokens][headDim]}
     * @param windowQueries {@code [queryHeads][positions][headDim]}
     */
    CacheContents prompt(MemorySegment keys, MemorySegment values, int tokens, float[] windowQueries, int positions);

    /**
     * Stores one token.
     *
     * @param key {@code [keyValueHeads][headDim]}
     * @param value {@code [keyValueHeads][headDim]}
     */
    CacheContents token(CacheContents before, float[] key, float[] value);

    /** Is told of contents with other channel scales than before, right before they are published. */
    void become(CacheContents after);

    /**
     * Attends to all tokens. If it throws, nothing was written to the caller's arrays.
     *
     * @param queries {@code [queryHeads][headDim]}
     * @param output {@code [queryHeads][headDim]}, written
     * @param logSumExp {@code [queryHeads]}, written; null if it is not wanted
     */
    void attend(CacheContents now, float[] queries, float[] output, float[] logSumExp);

    /** The same on segments of float32, whose queries are still to be checked once they are copied. */
    void attend(CacheContents now, MemorySegment queries, MemorySegment output, MemorySegment logSumExp);

    /**
     * Rebuilds the tokens of one head.
     *
     * @param keys {@code [tokens][headDim]}, written
     * @param values {@code [tokens][headDim]}, written
     */
    void reconstruct(int head, CacheContents now, float[] keys, float[] values);

    /** Returns the bytes of memory it takes, used or not. */
    long bytes();

    /** Frees the memory; called once, when nothing is in progress. */
    void close();
}
