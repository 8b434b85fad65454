package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.util.List;
import java.util.stream.Stream;

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
    public Fingerprint fingerprint() {
        return new Fingerprint("5a11000000000000", "5a11000000000001");
    }

    @Override
    public List<KernelVariant> variants() {
        return Stream.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR)
                .map(ReferenceProvider::defaultOf)
                .toList();
    }

    @Override
    public AttentionKernels create(KernelVariant variant) {
        return variant.backend().usesVectors()
                ? new VectorKernels(variant.backend())
                : new ReferenceKernels(SHAPE, variant.backend());
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
