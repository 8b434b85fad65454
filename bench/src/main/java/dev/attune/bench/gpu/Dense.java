package dev.attune.bench.gpu;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Backend;
import dev.attune.annotations.ChannelPruning;

/** Nothing pruned. */
@AttentionSpec(
        queryHeads = 32,
        keyValueHeads = 8,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0),
        values = @ChannelPruning(ratio = 0),
        backends = Backend.OPENCL)
public interface Dense {}
