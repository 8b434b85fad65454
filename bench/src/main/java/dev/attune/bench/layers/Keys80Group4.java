package dev.attune.bench.layers;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** 80 % of the key channels pruned, dense values. */
@AttentionSpec(
        queryHeads = 32,
        keyValueHeads = 8,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8))
public interface Keys80Group4 {}
