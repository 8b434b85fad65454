package dev.attune.runtime.spi;

import dev.attune.annotations.Backend;
import java.lang.foreign.MemorySegment;

/**
 * The kernels of one specification on one backend. Instances hold scratch buffers: one thread at a time.
 *
 * <p>Arrays are row-major; {@code d} is the head dimension, {@code G} the number of query heads per key-value head.
 * Offsets are bytes within the cache's segment, of the first byte of a tile (64 tokens of one key-value head). Callers
 * have checked every length, and that every number is finite.
 */
public interface AttentionKernels {

    /** Returns the backend these kernels run on. */
    Backend backend();

    /**
     * Computes the channel scales {@code s_j} of one key-value head from the window's queries.
     *
     * @param head index of the key-value head
     * @param windowQueries {@code [queryHeads][positions][d]}
     * @param positions positions of the window, at least 1
     * @param scales {@code [keyValueHeads][d]}; the head's row is written, every scale positive
     */
    void scoreChannels(int head, float[] windowQueries, int positions, float[] scales);

    /**
     * Prunes and packs the keys of one tile.
     *
     * @param head index of the key-value head
     * @param keys {@code [64][d]}
     * @param scales {@code [keyValueHeads][d]}
     * @param cache the cache's segment
     * @param tile offset of the packed tile
     */
    void packKeys(int head, float[] keys, float[] scales, MemorySegment cache, long tile);

    /**
     * Prunes and packs the values of one tile.
     *
     * @param values {@code [64][d]}
     * @param cache the cache's segment
     * @param tile offset of the packed tile
     */
    void packValues(float[] values, MemorySegment cache, long tile);

    /** Rebuilds the keys {@code [64][d]} a packed tile stands for: for inspection and tests, never for decoding. */
    void unpackKeys(int head, MemorySegment cache, long tile, float[] scales, float[] keys);

    /** Rebuilds the values {@code [64][d]} a packed tile stands for: for inspection and tests, never for decoding. */
    void unpackValues(MemorySegment cache, long tile, float[] values);

    /**
     * Stores one token in a dense tile.
     *
     * @param key {@code d} numbers from {@code offset} on
     * @param value {@code d} numbers from {@code offset} on
     * @param offset index of the token's first number in both arrays
     * @param cache the cache's segment
     * @param tile offset of the dense tile
     * @param token the token's place in the tile, 0 to 63
     */
    void storeDense(float[] key, float[] value, int offset, MemorySegment cache, long tile, int token);

    /** Reads a dense tile's keys and values, both {@code [64][d]}. */
    void loadDense(MemorySegment cache, long tile, float[] keys, float[] values);

    /**
     * Scores a run of packed tiles: the first part of a decode step, to be measured and verified by itself.
     *
     * @param head index of the key-value head
     * @param queries {@code [queryHeads][d]}
     * @param scales {@code [keyValueHeads][d]}
     * @param cache the cache's segment
     * @param tile offset of the first packed tile; its successors follow without a gap
     * @param packedTokens number of tokens in the packed tiles; all but the last tile are full
     * @param scores {@code [G][packedTokens]}, written: {@code q . k / sqrt(d)} with every pruned channel restored, for
     *     a softmax by {@code e^score}
     */
    void scoreKeys(
            int head,
            float[] queries,
            float[] scales,
            MemorySegment cache,
            long tile,
            int packedTokens,
            float[] scores);

    /**
     * Sums the values of a run of packed tiles: the last part of a decode step, to be measured and verified by itself.
     *
     * @param cache the cache's segment
     * @param tile offset of the first packed tile; its successors follow without a gap
     * @param packedTokens number of tokens in the packed tiles; all but the last tile are full
     * @param weights {@code [G][packedTokens]}, not negative and at most 1, as a softmax has them; those of a tile that
     *     together are below 1e-30 may count as nothing
     * @param output {@code [G][d]}, written: {@code SUM_t weight_t v_t} with every pruned entry restored, not divided
     *     by the sum of the weights
     */
    void sumValues(MemorySegment cache, long tile, int packedTokens, float[] weights, float[] output);

    /**
     * The fused decode step of one key-value head's {@code G} query heads over a run of packed tiles and a run of
     * tokens in dense tiles: scores with restoration, softmax, value sum.
     *
     * <p>Results over disjoint ranges merge exactly through their log-sum-exps. Over no tokens at all the output is
     * zero and the log-sum-exp negative infinity.
     *
     * @param head index of the key-value head
     * @param queries {@code [queryHeads][d]}
     * @param scales {@code [keyValueHeads][d]}
     * @param cache the cache's segment
     * @param tile offset of the first packed tile; its successors follow without a gap
     * @param packedTokens number of tokens in the packed tiles; all but the last tile are full
     * @param dense offset of the first dense tile; its successors follow without a gap
     * @param denseTokens number of tokens in the dense tiles; all but the last tile are full
     * @param output {@code [queryHeads][d]}; the rows of this head's {@code G} query heads are written
     * @param logSumExp {@code [queryHeads]}, natural logarithms; this head's {@code G} numbers are written
     */
    void attend(
            int head,
            float[] queries,
            float[] scales,
            MemorySegment cache,
            long tile,
            int packedTokens,
            long dense,
            int denseTokens,
            float[] output,
            float[] logSumExp);
}
