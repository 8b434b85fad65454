package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.Restoration;

/** byte-lm, keys pruned by 80 % with zeros in place of what was pruned: for contrast. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8, restoration = Restoration.NONE, centering = Centering.NONE),
        packGenerated = false)
public interface ByteLmKeys80ZeroFill {}
