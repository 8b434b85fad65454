package dev.attune.bench.layers;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** 80 % of keys and values pruned. */
@AttentionSpec(
        queryHeads = 32,
        keyValueHeads = 8,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8),
        values = @ChannelPruning(ratio = 0.8))
public interface Keys80Values80Group4 {}
