package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** A provider of any shape, whose kernels come from a function. */
public record ReferenceProvider(
        Class<?> specification,
        LayerShape shape,
        List<KernelVariant> variants,
        Function<KernelVariant, AttentionKernels> factory)
        implements KernelProvider {

    /** Plain kernels of a shape, scalar only. */
    public static ReferenceProvider scalar(LayerShape shape) {
        return of(shape, List.of(Backend.SCALAR), backend -> new ReferenceKernels(shape, backend));
    }

    /** Kernels of a shape on some backends, each with its default variant only. */
    public static ReferenceProvider of(
            LayerShape shape, List<Backend> backends, Function<Backend, AttentionKernels> factory) {
        return new ReferenceProvider(
                SmallLayer.class,
                shape,
                backends.stream().map(ReferenceProvider::defaultOf).toList(),
                variant -> factory.apply(variant.backend()));
    }

    /** Returns what the processor lists as the default variant of a backend. */
    public static KernelVariant defaultOf(Backend backend) {
        String name = backend.name().replace("_", "").toLowerCase(Locale.ROOT);
        Strategy strategy = backend.usesVectors() ? Strategy.PERMUTE : Strategy.SCALAR;
        return new KernelVariant(name, backend, strategy, 1, 1, 0);
    }

    @Override
    public CacheLayout layout() {
        return ReferenceKernels.layout(shape);
    }

    @Override
    public Fingerprint fingerprint() {
        return new Fingerprint("0123456789abcdef", "fedcba9876543210");
    }

    @Override
    public AttentionKernels create(KernelVariant variant) {
        return factory.apply(variant);
    }
}
