package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;

/** Scores of packed keys against the queries of a decode step. */
final class KeyScores extends PackedTileWorkload {

    private final float[] queries;

    /** {@code [threads][groupSize * CHUNK_TOKENS]}. */
    private final float[][] scores;

    KeyScores(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        super(layer, prompt, tokens, threads);
        queries = prompt.queries(shape.queryHeads());
        scores = new float[threads][shape.groupSize() * CHUNK_TOKENS];
    }

    @Override
    void handle(AttentionKernels kernels, int member, int head, int firstTile, int count) {
        int packedTokens = count * CacheLayout.TILE_TOKENS;
        kernels.scoreKeys(head, queries, scales, cache, tile(head, firstTile), packedTokens, scores[member]);
    }

    @Override
    public long bytes() {
        return sideBytes("key") + (long) scales.length * Float.BYTES;
    }
}
