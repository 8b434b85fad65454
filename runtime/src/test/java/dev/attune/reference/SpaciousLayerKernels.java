package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What the processor would generate for {@link SpaciousLayer}, in plain Java; listed under META-INF/services. The fewer
 * tiles a variant reads ahead, the less often it does everything.
 */
public final class SpaciousLayerKernels extends ForwardingProvider {

    private static final LayerShape SHAPE = new LayerShape(2, 1, 16, 8, true);

    public SpaciousLayerKernels() {
        super(new ReferenceProvider(SpaciousLayer.class, SHAPE, grid(), Repeating::new));
    }

    private static List<KernelVariant> grid() {
        List<KernelVariant> variants = new ArrayList<>();
        for (int heads = 4; heads >= 1; heads--) {
            for (int ahead = 4; ahead >= 0; ahead--) {
                String name = variants.isEmpty() ? "vector512" : "vector512-heads" + heads + "-ahead" + ahead;
                variants.add(new KernelVariant(name, Backend.VECTOR_512, Strategy.PERMUTE, heads, 1, ahead));
            }
        }
        variants.add(ReferenceProvider.defaultOf(Backend.SCALAR));
        return List.copyOf(variants);
    }

    private static final class Repeating extends ReferenceKernels {

        private final int times;

        private Repeating(KernelVariant variant) {
            super(SHAPE, variant.backend());
            this.times = 1 + variant.readAheadTiles();
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
            for (int i = 0; i < times; i++) {
                super.attend(head, queries, scales, cache, tile, packedTokens, dense, denseTokens, output, logSumExp);
            }
        }
    }
}
