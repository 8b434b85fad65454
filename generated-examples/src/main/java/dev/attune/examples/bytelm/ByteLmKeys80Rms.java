package dev.attune.examples.bytelm;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.ChannelWeight;

/** byte-lm, keys pruned by 80 %, channels weighed by the root mean square of the queries. */
@AttentionSpec(
        queryHeads = 4,
        keyValueHeads = 2,
        headDim = 128,
        keys = @ChannelPruning(ratio = 0.8, channelWeight = ChannelWeight.RMS, centering = Centering.NONE),
        packGenerated = false)
public interface ByteLmKeys80Rms {}
