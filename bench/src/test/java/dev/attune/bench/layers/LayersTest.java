package dev.attune.bench.layers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.NumberFormat;
import org.junit.jupiter.api.Test;

class LayersTest {

    private static final int[] HEAD_DIMS = {64, 128, 256};
    private static final int[] GROUP_SIZES = {1, 4, 8};

    @Test
    void everyPruningExistsInBfloat16ForEveryHeadDimensionAndGroup() {
        for (int headDim : HEAD_DIMS) {
            for (int groupSize : GROUP_SIZES) {
                for (Pruning pruning : Pruning.values()) {
                    Layer layer = Layers.get(headDim, groupSize, pruning, NumberFormat.BFLOAT16);
                    assertEquals(8, layer.provider().shape().keyValueHeads());
                }
                Layers.get(headDim, groupSize, Pruning.DENSE, NumberFormat.FLOAT32);
            }
        }
    }

    /** Against the formulas of docs/packed-format.md, so that a layer is what its name says. */
    @Test
    void tilesAreAsLargeAsPruningAndFormatMakeThem() {
        for (Layer layer : Layers.all()) {
            if (layer.format() == NumberFormat.BFLOAT16 || layer.format() == NumberFormat.FLOAT32) {
                int number = layer.format().bytes();
                int d = layer.headDim();
                int dense = 64 * d * number;
                int expected = switch (layer.pruning()) {
                    case DENSE -> 2 * dense;
                    case KEYS_80 -> packedKeys(d, number) + dense;
                    case KEYS_80_VALUES_80 -> packedKeys(d, number) + packedValues(d, number);
                };
                assertEquals(expected, layer.provider().layout().tileBytes(), layer.toString());
            }
        }
    }

    private static int packedKeys(int d, int number) {
        int kept = d - (int) Math.floor(0.8 * d);
        int block = kept * 32 * number + d / 16 * 64 + 32 * number + kept * 32;
        return Math.ceilDiv(d * number + 2 * block, 64) * 64;
    }

    private static int packedValues(int d, int number) {
        int kept = 64 - (int) Math.floor(0.8 * 64);
        return kept * d * number + 8 * d + d * number + kept * d;
    }

    @Test
    void aLayerThatDoesNotExistIsNamed() {
        Exception refusal = assertThrows(
                IllegalArgumentException.class, () -> Layers.get(96, 4, Pruning.DENSE, NumberFormat.BFLOAT16));
        assertTrue(refusal.getMessage().contains("head dimension 96, 4 query heads"), refusal.getMessage());
    }
}
