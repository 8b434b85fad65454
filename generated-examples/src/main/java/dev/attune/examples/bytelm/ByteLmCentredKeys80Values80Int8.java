package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.NumberFormat;

/** byte-lm, keys centred and pruned by 80 %, values by 80 %, what is kept in integers of 8 bits. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8, format = NumberFormat.INT8),
        values = @ChannelPruning(ratio = 0.8, format = NumberFormat.INT8),
        packGenerated = false)
public interface ByteLmCentredKeys80Values80Int8 {}
