package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;
import javax.lang.model.element.Modifier;

/** The named numbers at the top of a kernel class: the specification, then the bytes of a tile. */
final class LayoutConstants {

    private final TypeSpec.Builder type;

    private LayoutConstants(TypeSpec.Builder type) {
        this.type = type;
    }

    static void add(TypeSpec.Builder type, KernelPlan plan) {
        new LayoutConstants(type).add(plan);
    }

    private void add(KernelPlan plan) {
        TileLayout layout = plan.layout();
        constant("HEAD_DIM", layout.headDim(), "Channels of one head.");
        constant("GROUP_SIZE", plan.model().groupSize(), "Query heads that share one key-value head.");
        constant("TILE_TOKENS", TileLayout.TILE_TOKENS, "Tokens of a tile.");
        constant("BLOCK_TOKENS", BlockLayout.LANES, "Tokens of a key block.");
        constant("BLOCK_CHANNELS", BlockLayout.LANES, "Channels of a value block.");
        constant(
                "PADDED_CHANNELS",
                layout.channels(),
                "HEAD_DIM rounded up to a multiple of 32: the length of rows with channels in lanes.");
        constant("TILE_BYTES", layout.tileBytes(), "Bytes of a packed tile.");
        constant("DENSE_TILE_BYTES", layout.denseTileBytes(), "Bytes of a dense tile.");
        constant("VALUES", layout.valueOffset(), "Packed tile: offset of the values.");
        constant(
                "DENSE_VALUES",
                layout.denseKeyBytes(),
                "Dense tile: offset of values [PADDED_CHANNELS / BLOCK_CHANNELS][TILE_TOKENS][BLOCK_CHANNELS].");
        layout.keys().ifPresent(keys -> {
            constant("KEPT_CHANNELS", keys.block().kept(), "Channels every token keeps.");
            if (keys.block().signed()) {
                constant(
                        "PRUNED_CHANNELS",
                        Math.max(1, layout.headDim() - keys.block().kept()),
                        "Channels an amplitude stands for.");
            }
            constant(
                    "KEY_BLOCKS",
                    keys.blocks(),
                    keys.centred()
                            ? "Packed tile: offset of the kept entries; the means [PADDED_CHANNELS] come before."
                            : "Packed tile: offset of the kept entries.");
            block("KEY", keys.block(), "Packed tile", keys.signs(), "key block", "channel", "BLOCK_TOKENS");
        });
        layout.values().ifPresent(values -> {
            constant("KEPT_TOKENS", values.block().kept(), "Tokens every value channel keeps of a tile.");
            if (values.block().signed()) {
                constant(
                        "PRUNED_TOKENS",
                        Math.max(1, TileLayout.TILE_TOKENS - values.block().kept()),
                        "Tokens of a tile an amplitude stands for.");
            }
            block("VALUE", values.block(), "Values", values.signs(), "value block", "token", "BLOCK_CHANNELS");
        });
    }

    private void block(
            String side, BlockLayout block, String whole, int signs, String name, String index, String lanes) {
        constant(side + "_BLOCK_BYTES", block.keptBytes(), "Bytes of the kept entries of a " + name + ".");
        constant(
                side + "_SLOT_BYTES",
                block.slotBytes(),
                block.slotsPerRow() == 1
                        ? "Bytes of a slot: residuals [" + lanes + "], then " + index + " indices [" + lanes + "]."
                        : "Bytes of two slots: residuals [" + lanes + "], two to a byte, then " + index
                                + " indices [2][" + lanes + "].");
        constant(side + "_INDICES", block.indices(), "Offset of the indices within that.");
        if (block.quantised()) {
            constant(
                    side + "_RESIDUAL_SCALES",
                    block.residualScales(),
                    "Kept entries of a " + name + ": offset of the residuals' scales [" + lanes + "].");
        }
        if (block.signed()) {
            constant(side + "_SIGNS", signs, whole + ": offset of the signs.");
            constant(
                    side + "_SIGN_BYTES",
                    block.signBytes(),
                    "Bytes of the signs of a " + name + ": 16-bit words [" + block.signWords() + "][" + lanes
                            + "], then amplitudes [" + lanes + "].");
            constant(side + "_AMPLITUDES", block.signWordBytes(), "Offset of the amplitudes within that.");
        }
    }

    /** Adds the method that finds a number among dense values. */
    static void addDensePlace(TypeSpec.Builder type) {
        type.addMethod(KernelMethods.step("densePlace")
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Place of a token's channel among dense values [channel block][TILE_TOKENS]"
                        + "[BLOCK_CHANNELS].\n")
                .addParameter(int.class, "token")
                .addParameter(int.class, "channel")
                .returns(int.class)
                .addStatement("return (channel / BLOCK_CHANNELS * TILE_TOKENS + token) * BLOCK_CHANNELS + channel %"
                        + " BLOCK_CHANNELS")
                .build());
    }

    private void constant(String name, int value, String meaning) {
        type.addField(FieldSpec.builder(int.class, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer("$L", value)
                .build());
    }
}
