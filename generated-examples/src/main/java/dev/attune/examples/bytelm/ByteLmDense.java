package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;

/** byte-lm with a dense cache in bfloat16: the baseline of the evaluation. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0),
        packGenerated = false)
public interface ByteLmDense {}
