package dev.attune.examples.specs;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** An attention layer with heads of 256 channels, as in the Gemma models: keys and values pruned by 80 %. */
@AttentionSpec(
        queryHeads = 8,
        keyValueHeads = 4,
        headDim = 256,
        keys = @ChannelPruning(ratio = 0.8),
        values = @ChannelPruning(ratio = 0.8))
public interface GemmaAttention {}
