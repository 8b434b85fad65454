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

    static PruningModel pruned(double ratio, Centering centering, NumberFormat format) {
        return new PruningModel(ratio, Restoration.SIGN, ChannelWeight.MEAN, centering, format);
    }

    static PruningModel dense(NumberFormat format) {
        return pruned(0, Centering.NONE, format);
    }

    /** One key-value head shared by {@code group} query heads, for every vector width. */
    static AttentionModel model(String name, int group, int headDim, PruningModel keys, PruningModel values) {
        return model(name, group, headDim, keys, values, VECTORS);
    }

    /** The same, for some backends. */
    static AttentionModel model(
            String name, int group, int headDim, PruningModel keys, PruningModel values, List<Backend> backends) {
        return model(name, 1, group, headDim, keys, values, backends);
    }

    /** Several key-value heads, each shared by {@code group} query heads. */
    static AttentionModel model(
            String name,
            int heads,
            int group,
            int headDim,
            PruningModel keys,
            PruningModel values,
            List<Backend> backends) {
        return new AttentionModel(
                "specifications", name, heads * group, heads, headDim, keys, values, 32, true, backends);
    }

    /** Keys and values of bfloat16, both packed, for tests that are about neither. */
    static AttentionModel layer(String name, int heads, int group, int headDim, List<Backend> backends) {
        return model(
                name,
                heads,
                group,
                headDim,
                pruned(0.8, Centering.TILE, NumberFormat.BFLOAT16),
                pruned(0.8, Centering.NONE, NumberFormat.BFLOAT16),
                backends);
    }

    /** The same for devices, with values of 8 bits. */
    public static AttentionModel deviceLayer(String name, int heads, int group, int headDim) {
        return model(
                name,
                heads,
                group,
                headDim,
                pruned(0.8, Centering.TILE, NumberFormat.BFLOAT16),
                pruned(0.7, Centering.NONE, NumberFormat.INT8),
                List.of(Backend.OPENCL));
    }

    /** Returns a specification that differs in one thing only: tokens that are generated are not packed. */
    public static AttentionModel keepingGeneratedDense(AttentionModel model) {
        return new AttentionModel(
                model.packageName(),
                model.specificationName(),
                model.queryHeads(),
                model.keyValueHeads(),
                model.headDim(),
                model.keys(),
                model.values(),
                model.window(),
                false,
                model.backends());
    }
}
