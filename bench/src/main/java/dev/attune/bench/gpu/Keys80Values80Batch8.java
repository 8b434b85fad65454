package dev.attune.bench.gpu;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Backend;
import dev.attune.annotations.ChannelPruning;

/** 80 % of keys and values pruned, the heads of eight sequences of one length in one cache. */
@AttentionSpec(
        queryHeads = 256,
        keyValueHeads = 64,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8),
        values = @ChannelPruning(ratio = 0.8),
        backends = Backend.OPENCL)
public interface Keys80Values80Batch8 {}
