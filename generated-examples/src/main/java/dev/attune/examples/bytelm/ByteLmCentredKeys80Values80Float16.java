package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.NumberFormat;

/** byte-lm, keys centred and pruned by 80 %, values by 80 %, what is kept in float16. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8, format = NumberFormat.FLOAT16),
        values = @ChannelPruning(ratio = 0.8, format = NumberFormat.FLOAT16),
        packGenerated = false)
public interface ByteLmCentredKeys80Values80Float16 {}
