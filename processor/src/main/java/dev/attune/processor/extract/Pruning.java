package dev.attune.processor.extract;

import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.PruningModel;

/** A {@code ChannelPruning} annotation as written. */
public record Pruning(
        Attribute<Double> ratio,
        Attribute<Restoration> restoration,
        Attribute<ChannelWeight> channelWeight,
        Attribute<Centering> centering,
        Attribute<NumberFormat> format) {

    /** Returns its values. */
    public PruningModel model() {
        return new PruningModel(
                ratio.value(), restoration.value(), channelWeight.value(), centering.value(), format.value());
    }
}
