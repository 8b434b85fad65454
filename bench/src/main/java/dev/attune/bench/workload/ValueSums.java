package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import java.util.Arrays;

/** Sums of packed values under the weights of a softmax. */
final class ValueSums extends PackedTileWorkload {

    /** {@code [groupSize][CHUNK_TOKENS]}, the same for all chunks: the heads' softmaxes are not part of this. */
    private final float[] weights;

    /** {@code [threads][groupSize * headDim]}. */
    private final float[][] sums;

    ValueSums(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        super(layer, prompt, tokens, threads);
        weights = new float[shape.groupSize() * CHUNK_TOKENS];
        sums = new float[threads][shape.groupSize() * shape.headDim()];
        Arrays.fill(weights, 1f / tokens);
    }

    @Override
    void handle(AttentionKernels kernels, int member, int head, int firstTile, int count) {
        int packedTokens = count * CacheLayout.TILE_TOKENS;
        kernels.sumValues(cache, tile(head, firstTile), packedTokens, weights, sums[member]);
    }

    @Override
    public long bytes() {
        return sideBytes("value");
    }
}
