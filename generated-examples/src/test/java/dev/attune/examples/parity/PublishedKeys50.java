package dev.attune.examples.parity;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.NumberFormat;

/** Keys pruned by 50 % as published, kept entries not rounded. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.5, centering = Centering.NONE, format = NumberFormat.FLOAT32),
        values = @ChannelPruning(ratio = 0, format = NumberFormat.FLOAT32))
public interface PublishedKeys50 {}
