package dev.attune.runtime;

import java.util.List;

/**
 * What a cache holds at one moment, and what that costs. Everything is counted; nothing is estimated.
 *
 * @param keyValueHeads number of key-value heads
 * @param tokens tokens in the cache
 * @param packedTokens tokens in packed tiles
 * @param denseTokens tokens in the dense tail
 * @param bytes bytes used by those tokens over all heads, keys and values, with the channel scales
 * @param parts what the bytes are made of; they add up to {@code bytes}
 * @param allocatedBytes size of the cache's memory, used or not
 * @param denseBfloat16Bytes bytes the same tokens take in a dense bfloat16 cache
 */
public record CacheStatistics(
        int keyValueHeads,
        int tokens,
        int packedTokens,
        int denseTokens,
        long bytes,
        List<Part> parts,
        long allocatedBytes,
        long denseBfloat16Bytes) {

    /** Copies the list of parts. */
    public CacheStatistics {
        parts = List.copyOf(parts);
    }

    /**
     * One part of the bytes in use.
     *
     * @param name for example {@code "key residuals"}, {@code "dense tail"} or {@code "channel scales"}
     * @param bytes its bytes over all tokens and heads
     */
    public record Part(String name, long bytes) {}

    /** Returns the bytes, keys and values together, per token and key-value head; NaN without tokens. */
    public double bytesPerTokenPerHead() {
        return tokens == 0 ? Double.NaN : (double) bytes / tokens / keyValueHeads;
    }

    /** Returns how many times smaller the cache is than a dense bfloat16 one; 0 without tokens. */
    public double compression() {
        return (double) denseBfloat16Bytes / bytes;
    }
}
