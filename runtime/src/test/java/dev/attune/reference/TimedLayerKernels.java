package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the processor would generate for {@link TimedLayer}, in plain Java; listed under META-INF/services. The default does
 * everything twice, the variant of 256 bits once, and that of 128 bits wrong.
 */
public final class TimedLayerKernels implements KernelProvider {

    /** The system property that names a variant which ends its process over {@link #FATAL_TOKENS} tokens. */
    public static final String FATAL_VARIANT = "attune.test.fatal";

    /** So many a variant is neither verified nor compiled on. */
    public static final int FATAL_TOKENS = 2048;

    public static final int FATAL_EXIT = 7;

    public static final LayerShape SHAPE = new LayerShape(2, 1, 16, 8, true);

    @Override
    public Class<?> specification() {
        return TimedLayer.class;
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
        return new Fingerprint("71ed000000000000", "71ed000000000001");
    }

    @Override
    public List<KernelVariant> variants() {
        return Stream.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR)
                .map(ReferenceProvider::defaultOf)
                .toList();
    }

    @Override
    public AttentionKernels create(KernelVariant variant) {
        return new TimedKernels(variant);
    }

    private static final class TimedKernels extends ReferenceKernels {

        private final KernelVariant variant;

        private TimedKernels(KernelVariant variant) {
            super(SHAPE, variant.backend());
            this.variant = variant;
        }

        @Override
        public void attend(
                int head,
                float[] queries,
                float[] scales,
                MemorySegment cache,
                long tile,
                int packedTokens,
                long dense,
                int denseTokens,
                float[] output,
                float[] logSumExp) {
            if (packedTokens == FATAL_TOKENS && variant.name().equals(System.getProperty(FATAL_VARIANT))) {
                System.err.println("a fatal error");
                Runtime.getRuntime().halt(FATAL_EXIT);
            }
            int times = variant.backend() == Backend.VECTOR_256 ? 1 : 2;
            for (int i = 0; i < times; i++) {
                super.attend(head, queries, scales, cache, tile, packedTokens, dense, denseTokens, output, logSumExp);
            }
            if (variant.backend() == Backend.VECTOR_128) {
                output[0] *= 2;
            }
        }
    }
}
