package dev.attune.examples.specs;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** One attention layer of Llama 3.1 8B: keys and values pruned by 80 %, keys centred. */
@AttentionSpec(
        queryHeads = 32,
        keyValueHeads = 8,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8),
        values = @ChannelPruning(ratio = 0.8))
public interface Llama31Attention {}
