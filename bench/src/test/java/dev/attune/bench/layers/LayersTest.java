package dev.attune.bench.layers;

import static dev.attune.annotations.NumberFormat.FLOAT16;
import static dev.attune.annotations.NumberFormat.FLOAT32;
import static dev.attune.annotations.NumberFormat.INT4;
import static dev.attune.annotations.NumberFormat.INT8;
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

    @Test
    void everyFormatExistsForPrunedLayersOfHeadDimension128() {
        for (int groupSize : GROUP_SIZES) {
            for (NumberFormat format : new NumberFormat[] {FLOAT16, INT8, INT4}) {
                Layers.get(128, groupSize, Pruning.KEYS_80, format);
                Layers.get(128, groupSize, Pruning.KEYS_80_VALUES_80, format);
            }
        }
    }

    /** Against the formulas of docs/packed-format.md, so that a layer is what its name says. */
    @Test
    void tilesAreAsLargeAsPruningAndFormatMakeThem() {
        for (Layer layer : Layers.all()) {
            NumberFormat format = layer.format();
            int d = layer.headDim();
            int expected = switch (layer.pruning()) {
                case DENSE -> 2 * 64 * d * numberBytes(format);
                case KEYS_80 -> packedKeys(d, format) + 64 * d * 2;
                case KEYS_80_VALUES_80 -> packedKeys(d, format) + packedValues(d, format);
            };
            assertEquals(expected, layer.provider().layout().tileBytes(), layer.toString());
        }
    }

    private static int packedKeys(int d, NumberFormat format) {
        int number = numberBytes(format);
        int kept = d - (int) Math.floor(0.8 * d);
        int block = 32 * residualBytes(kept, format) + d / 16 * 64 + 32 * number + kept * 32;
        if (format.quantised()) {
            block += 32 * number;
        }
        return Math.ceilDiv(d * number + 2 * block, 64) * 64;
    }

    private static int packedValues(int d, NumberFormat format) {
        int number = numberBytes(format);
        int kept = 64 - (int) Math.floor(0.8 * 64);
        int scales = format.quantised() ? d * number : 0;
        return d * residualBytes(kept, format) + 8 * d + d * number + kept * d + scales;
    }

    /** Bytes of the residuals of one token or channel. */
    private static int residualBytes(int kept, NumberFormat format) {
        return Math.ceilDiv(kept * format.bits(), 8);
    }

    /** Bytes of every other number. */
    private static int numberBytes(NumberFormat format) {
        return format == FLOAT32 ? 4 : 2;
    }

    @Test
    void aLayerThatDoesNotExistIsNamed() {
        Exception refusal = assertThrows(
                IllegalArgumentException.class, () -> Layers.get(96, 4, Pruning.DENSE, NumberFormat.BFLOAT16));
        assertTrue(refusal.getMessage().contains("head dimension 96, 4 query heads"), refusal.getMessage());
    }
}
