package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.util.List;

/** What the processor would generate for {@link SmallLayer}; listed under META-INF/services. */
public final class SmallLayerKernels implements KernelProvider {

    public static final LayerShape SHAPE = new LayerShape(4, 2, 16, 8, true);

    @Override
    public Class<?> specification() {
        return SmallLayer.class;
    }

    @Override
    public LayerShape shape() {
        return SHAPE;
    }

    @Override
    public CacheLayout layout() {
        return ReferenceKernels.layout(SHAPE);
    }

    @Override
    public List<Backend> backends() {
        return List.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR);
    }

    @Override
    public Strategy strategy(Backend backend) {
        return backend.usesVectors() ? Strategy.PERMUTE : Strategy.SCALAR;
    }

    @Override
    public AttentionKernels create(Backend backend) {
        return backend.usesVectors() ? new VectorKernels(backend) : new ReferenceKernels(SHAPE, backend);
    }

    /** Cannot be initialised without the Vector API. */
    private static final class VectorKernels extends ReferenceKernels {

        private static final int LANES = jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length();

        private VectorKernels(Backend backend) {
            super(SHAPE, backend);
            if (LANES < 2) {
                throw new IllegalStateException("no vectors of " + LANES + " lanes");
            }
        }
    }
}
