package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import dev.attune.runtime.spi.AttentionKernels;

/** Prunes and packs the keys of a prompt. */
final class PackKeys extends PackingWorkload {

    PackKeys(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        super(layer, prompt, prompt.keys(tokens), tokens, threads);
    }

    @Override
    void pack(AttentionKernels kernels, int head, float[] tileRows, long tile) {
        kernels.packKeys(head, tileRows, scales, cache, tile);
    }

    @Override
    public long bytes() {
        return bytes("key");
    }
}
