package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelPruning;

/** byte-lm, keys pruned by 90 % as published, values by 90 %. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.9, centering = Centering.NONE),
        values = @ChannelPruning(ratio = 0.9),
        packGenerated = false)
public interface ByteLmKeys90Values90 {}
