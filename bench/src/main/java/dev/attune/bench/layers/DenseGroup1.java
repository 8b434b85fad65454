package dev.attune.bench.layers;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** Dense bfloat16: what every other layer is compared with. */
@AttentionSpec(
        queryHeads = 8,
        keyValueHeads = 8,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0))
public interface DenseGroup1 {}
