package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.util.List;
import java.util.function.Function;

/** A provider of any shape, whose kernels come from a function. */
public record ReferenceProvider(
        Class<?> specification, LayerShape shape, List<Backend> backends, Function<Backend, AttentionKernels> factory)
        implements KernelProvider {

    /** Plain kernels of a shape, scalar only. */
    public static ReferenceProvider scalar(LayerShape shape) {
        return new ReferenceProvider(
                SmallLayer.class, shape, List.of(Backend.SCALAR), backend -> new ReferenceKernels(shape, backend));
    }

    @Override
    public CacheLayout layout() {
        return ReferenceKernels.layout(shape);
    }

    @Override
    public Strategy strategy(Backend backend) {
        return backend.usesVectors() ? Strategy.PERMUTE : Strategy.SCALAR;
    }

    @Override
    public AttentionKernels create(Backend backend) {
        return factory.apply(backend);
    }
}
