package dev.attune.examples.specs;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.ChannelWeight;

/** One attention layer of Qwen3 8B: keys pruned by 80 %, weighed by root mean squares; values pruned by half. */
@AttentionSpec(
        queryHeads = 32,
        keyValueHeads = 8,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8, channelWeight = ChannelWeight.RMS),
        values = @ChannelPruning(ratio = 0.5))
public interface Qwen3Attention {}
