package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** byte-lm, keys centred and pruned by 90 %, values by 90 %. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.9),
        values = @ChannelPruning(ratio = 0.9),
        packGenerated = false)
public interface ByteLmCentredKeys90Values90 {}
