package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;

/**
 * What one thread needs to work on a cache of one specification.
 *
 * @param kernels the kernels, with scratch buffers of their own
 * @param keys one tile's keys {@code [64][headDim]} on their way into or out of the cache
 * @param values one tile's values {@code [64][headDim]}
 */
record Workspace(AttentionKernels kernels, float[] keys, float[] values) {

    static Workspace of(AttentionKernels kernels, int headDim) {
        int numbers = CacheLayout.TILE_TOKENS * headDim;
        return new Workspace(kernels, new float[numbers], new float[numbers]);
    }

    /** Copies the tile's tokens to their rows of a head's, from {@code first} to {@code end} at most. */
    void copyRows(int first, int end, int headDim, float[] toKeys, float[] toValues) {
        int numbers = Math.min(CacheLayout.TILE_TOKENS, end - first) * headDim;
        System.arraycopy(keys, 0, toKeys, first * headDim, numbers);
        System.arraycopy(values, 0, toValues, first * headDim, numbers);
    }
}
