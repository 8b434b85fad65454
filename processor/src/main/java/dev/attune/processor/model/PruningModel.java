package dev.attune.processor.model;

import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;

/** One side of a specification, keys or values: a {@code ChannelPruning} annotation as data. */
public record PruningModel(
        double ratio,
        Restoration restoration,
        ChannelWeight channelWeight,
        Centering centering,
        NumberFormat format) {

    /** Returns whether nothing is pruned. */
    public boolean dense() {
        return ratio == 0;
    }

    /** Returns the format of all numbers but kept entries: of amplitudes, means, scales and dense tokens. */
    public NumberFormat plainFormat() {
        return format.quantised() ? NumberFormat.BFLOAT16 : format;
    }

    /** Returns how many of {@code count} entries are kept: {@code count - floor(ratio * count)}. */
    public int kept(int count) {
        return count - (int) Math.floor(ratio * count);
    }
}
