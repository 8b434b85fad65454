package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;

/**
 * What the processor would generate for {@link TimedLayer}, in plain Java; listed under META-INF/services. The default
 * does everything twice, the variant of 256 bits once, and that of 128 bits wrong.
 */
public final class TimedLayerKernels extends ForwardingProvider {

    /** The system property that names a variant which ends its process over {@link #FATAL_TOKENS} tokens. */
    public static final String FATAL_VARIANT = "attune.test.fatal";

    /** So many a variant is neither verified nor compiled on. */
    public static final int FATAL_TOKENS = 2048;

    public static final int FATAL_EXIT = 7;

    private static final LayerShape SHAPE = new LayerShape(2, 1, 16, 8, true);

    public TimedLayerKernels() {
        super(new ReferenceProvider(
                TimedLayer.class,
                SHAPE,
                Stream.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR)
                        .map(ReferenceProvider::defaultOf)
                        .toList(),
                TimedKernels::new));
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
