package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import dev.attune.runtime.spi.AttentionKernels;

/** Prunes and packs the values of a prompt. */
final class PackValues extends PackingWorkload {

    PackValues(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        super(layer, prompt, prompt.values(tokens), tokens, threads);
    }

    @Override
    void pack(AttentionKernels kernels, int head, float[] tileRows, long tile) {
        kernels.packValues(tileRows, cache, tile);
    }

    @Override
    public long bytes() {
        return bytes("value");
    }
}
