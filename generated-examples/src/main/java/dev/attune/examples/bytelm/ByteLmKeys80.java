package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelPruning;

/** byte-lm, keys pruned by 80 % as published. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8, centering = Centering.NONE),
        packGenerated = false)
public interface ByteLmKeys80 {}
