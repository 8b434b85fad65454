package dev.attune.runtime.kernels;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import java.util.List;

/** Specifications to generate in tests. */
public final class Specifications {

    static final List<Backend> VECTORS = List.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128);

    private Specifications() {}

    public static PruningModel pruned(double ratio, Centering centering, NumberFormat format) {
        return new PruningModel(ratio, Restoration.SIGN, ChannelWeight.MEAN, centering, format);
    }

    static PruningModel dense(NumberFormat format) {
        return pruned(0, Centering.NONE, format);
    }

    /** One key-value head shared by {@code group} query heads, for every vector width. */
    static AttentionModel model(String name, int group, int headDim, PruningModel keys, PruningModel values) {
        return model(name, group, headDim, keys, values, VECTORS);
    }

    /** The same, for some vector widths. */
    static AttentionModel model(
            String name, int group, int headDim, PruningModel keys, PruningModel values, List<Backend> vectors) {
        return new AttentionModel("specifications", name, group, 1, headDim, keys, values, 32, true, vectors);
    }
}
