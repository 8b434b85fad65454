package dev.attune.bench.layers;

import dev.attune.annotations.NumberFormat;
import dev.attune.runtime.Attune;
import java.util.List;

/** All layers of this package, as the service loader finds their kernels. */
public final class Layers {

    private static final List<Layer> ALL = Attune.providers().stream()
            .filter(provider -> provider.specification().getPackage().equals(Layers.class.getPackage()))
            .map(Layer::of)
            .toList();

    private Layers() {}

    /** Returns all layers. */
    public static List<Layer> all() {
        return ALL;
    }

    /**
     * Returns one layer.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Layer get(int headDim, int groupSize, Pruning pruning, NumberFormat format) {
        return ALL.stream()
                .filter(layer -> layer.headDim() == headDim && layer.groupSize() == groupSize)
                .filter(layer -> layer.pruning() == pruning && layer.format() == format)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no layer with head dimension " + headDim
                        + ", " + groupSize + " query heads per key-value head, pruning " + pruning + " and format "
                        + Layer.label(format) + "; add one to " + Layers.class.getPackageName()));
    }
}
