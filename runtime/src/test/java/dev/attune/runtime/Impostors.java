package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.reference.SmallLayer;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** A provider with the scalar oracle and variants of {@link Backend#VECTOR_512} that a test makes up. */
final class Impostors {

    static final LayerShape SHAPE = new LayerShape(4, 2, 16, 8, false);

    private static final KernelVariant ORACLE = ReferenceProvider.defaultOf(Backend.SCALAR);

    private final Map<KernelVariant, Supplier<AttentionKernels>> factories = new LinkedHashMap<>();

    /** Adds a variant; the first one is its backend's default. */
    Impostors with(String name, Supplier<AttentionKernels> factory) {
        return with(variant(name), factory);
    }

    /** Adds a variant; the first one is its backend's default. */
    Impostors with(KernelVariant variant, Supplier<AttentionKernels> factory) {
        factories.put(variant, factory);
        return this;
    }

    ReferenceProvider provider() {
        return provider(() -> new ReferenceKernels(SHAPE, Backend.SCALAR));
    }

    ReferenceProvider provider(Supplier<AttentionKernels> oracle) {
        List<KernelVariant> variants = new ArrayList<>(factories.keySet());
        variants.add(ORACLE);
        return new ReferenceProvider(
                SmallLayer.class,
                SHAPE,
                variants,
                variant -> factories.getOrDefault(variant, oracle).get());
    }

    static KernelVariant variant(String name) {
        return new KernelVariant(name, Backend.VECTOR_512, Strategy.PERMUTE, 1, 1, 0);
    }
}
