package dev.attune.runtime.kernels;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * One key-value head's packed tiles and dense tail in a segment of their own, packed by one backend: what a cache
 * keeps, without the cache.
 */
final class PackedHead {

    private static final int GUARD_ZONE = 16;

    private final KernelProvider provider;
    private final Tokens tokens;
    private final MemorySegment cache;
    private final int packedTokens;
    private final int tiles;
    private final int denseTokens;
    private final long dense;
    private final float[] scales;

    /** Packs full tiles, and keeps the rest dense. */
    PackedHead(KernelProvider provider, AttentionKernels kernels, Tokens tokens, float[] scales) {
        this(provider, kernels, tokens, scales, tokens.count() / 64 * 64);
    }

    /** Packs so many tokens, the last tile filled up by repeating its tokens, and keeps the rest dense. */
    PackedHead(KernelProvider provider, AttentionKernels kernels, Tokens tokens, float[] scales, int packedTokens) {
        this.provider = provider;
        this.tokens = tokens;
        this.scales = scales;
        this.packedTokens = packedTokens;
        this.tiles = Math.ceilDiv(packedTokens, 64);
        this.denseTokens = tokens.count() - packedTokens;
        this.dense = (long) tiles * provider.layout().tileBytes();
        this.cache =
                Arena.ofAuto().allocate(Math.max(64, dense + provider.layout().denseTileBytes()), 64);
        for (int tile = 0; tile < tiles; tile++) {
            kernels.packKeys(0, tokens.keysOfTile(tile), scales, cache, offset(tile));
            kernels.packValues(tokens.valuesOfTile(tile), cache, offset(tile));
        }
        for (int token = 0; token < denseTokens; token++) {
            int row = (packedTokens + token) * tokens.headDim();
            kernels.storeDense(tokens.keys(), tokens.values(), row, cache, dense, token);
        }
    }

    MemorySegment bytes() {
        return cache;
    }

    /** Attends all query heads; output and log-sum-exps are surrounded by guard zones that must stay untouched. */
    Attended attend(AttentionKernels kernels, float[] queries) {
        int heads = provider.shape().groupSize();
        float[] output = withGuardZone(heads * tokens.headDim());
        float[] logSumExp = withGuardZone(heads);
        kernels.attend(0, queries, scales, cache, 0, packedTokens, dense, denseTokens, output, logSumExp);
        return new Attended(heads, tokens.headDim(), output, logSumExp);
    }

    /** Scores the packed tokens: {@code [G][packedTokens]}, and a guard zone that must stay untouched. */
    float[] scores(AttentionKernels kernels, float[] queries) {
        float[] scores = withGuardZone(provider.shape().groupSize() * packedTokens);
        kernels.scoreKeys(0, queries, scales, cache, 0, packedTokens, scores);
        return scores;
    }

    /** Sums the packed values under weights {@code [G][packedTokens]}: {@code [G][d]}, and a guard zone. */
    float[] sums(AttentionKernels kernels, float[] weights) {
        float[] sums = withGuardZone(provider.shape().groupSize() * tokens.headDim());
        kernels.sumValues(cache, 0, packedTokens, weights, sums);
        return sums;
    }

    private static float[] withGuardZone(int length) {
        float[] numbers = new float[length + GUARD_ZONE];
        Arrays.fill(numbers, Float.NaN);
        return numbers;
    }

    /** Returns whether nothing was written behind so many numbers. */
    static boolean guardZoneUntouched(float[] numbers, int length) {
        for (int i = length; i < length + GUARD_ZONE; i++) {
            if (!Float.isNaN(numbers[i])) {
                return false;
            }
        }
        return true;
    }

    /** Rebuilds the keys that the cache stands for, {@code [count][headDim]}. */
    float[] keys(AttentionKernels kernels) {
        return rebuilt(kernels, true);
    }

    /** Rebuilds the values that the cache stands for, {@code [count][headDim]}. */
    float[] values(AttentionKernels kernels) {
        return rebuilt(kernels, false);
    }

    private float[] rebuilt(AttentionKernels kernels, boolean wantKeys) {
        int row = 64 * tokens.headDim();
        float[] all = new float[(tiles + 1) * row];
        float[] keys = new float[row];
        float[] values = new float[row];
        for (int tile = 0; tile <= tiles; tile++) {
            if (tile < tiles) {
                kernels.unpackKeys(0, cache, offset(tile), scales, keys);
                kernels.unpackValues(cache, offset(tile), values);
            } else {
                kernels.loadDense(cache, dense, keys, values);
            }
            System.arraycopy(wantKeys ? keys : values, 0, all, tile * row, row);
        }
        return Arrays.copyOf(all, tokens.count() * tokens.headDim());
    }

    private long offset(int tile) {
        return (long) tile * provider.layout().tileBytes();
    }

    /** The result of a decode step of one key-value head. */
    record Attended(int heads, int headDim, float[] output, float[] logSumExp) {

        boolean guardsUntouched() {
            return guardZoneUntouched(output, heads * headDim) && guardZoneUntouched(logSumExp, heads);
        }
    }
}
