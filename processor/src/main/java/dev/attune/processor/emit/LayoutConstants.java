package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;
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
        constant("BLOCK_TOKENS", TileLayout.BLOCK_TOKENS, "Tokens of a key block.");
        constant(
                "PADDED_CHANNELS",
                layout.channels(),
                "HEAD_DIM rounded up to a multiple of 32: the length of rows with channels in lanes.");
        constant("TILE_BYTES", layout.tileBytes(), "Bytes of a packed tile.");
        constant("DENSE_TILE_BYTES", layout.denseTileBytes(), "Bytes of a dense tile.");
        constant("VALUES", layout.valueOffset(), "Packed tile: offset of the values.");
        constant(
                "DENSE_VALUES", layout.denseKeyBytes(), "Dense tile: offset of values [TILE_TOKENS][PADDED_CHANNELS].");
        layout.keys().ifPresent(keys -> {
            constant("KEPT_CHANNELS", keys.kept(), "Channels every token keeps.");
            if (keys.signed()) {
                constant(
                        "PRUNED_CHANNELS",
                        Math.max(1, layout.headDim() - keys.kept()),
                        "Channels an amplitude stands for.");
            }
            if (keys.centred()) {
                constant(
                        "KEY_BLOCKS",
                        keys.blocks(),
                        "Packed tile: offset of the key blocks; the means [PADDED_CHANNELS] come before.");
            } else {
                constant("KEY_BLOCKS", keys.blocks(), "Packed tile: offset of the key blocks.");
            }
            constant("KEY_BLOCK_BYTES", keys.blockBytes(), "Bytes of a key block.");
            constant(
                    "KEY_RESIDUALS",
                    keys.residuals(),
                    keys.residualBits() == 4
                            ? "Key block: offset of residuals [(KEPT_CHANNELS + 1) / 2][BLOCK_TOKENS], two slots to"
                                    + " a byte."
                            : "Key block: offset of residuals [KEPT_CHANNELS][BLOCK_TOKENS].");
            if (keys.signed()) {
                constant(
                        "KEY_SIGNS",
                        keys.signs(),
                        "Key block: offset of 16-bit sign words [HEAD_DIM / 16][BLOCK_TOKENS].");
                constant("KEY_AMPLITUDES", keys.amplitudes(), "Key block: offset of amplitudes [BLOCK_TOKENS].");
            }
            if (keys.quantised()) {
                constant(
                        "KEY_RESIDUAL_SCALES",
                        keys.residualScales(),
                        "Key block: offset of the residuals' scales [BLOCK_TOKENS].");
            }
            constant(
                    "KEY_INDICES",
                    keys.indices(),
                    "Key block: offset of channel indices [KEPT_CHANNELS][BLOCK_TOKENS].");
        });
        layout.values().ifPresent(values -> {
            constant("GROUP_CHANNELS", TileLayout.GROUP_CHANNELS, "Channels of a group of packed values.");
            constant("KEPT_TOKENS", values.kept(), "Tokens every value channel keeps of a tile.");
            if (values.signed()) {
                constant(
                        "PRUNED_TOKENS",
                        Math.max(1, TileLayout.TILE_TOKENS - values.kept()),
                        "Tokens of a tile an amplitude stands for.");
            }
            constant(
                    "VALUE_RESIDUALS",
                    values.residuals(),
                    values.residualBits() == 4
                            ? "Values: offset of residuals [channel group][(KEPT_TOKENS + 1) / 2][GROUP_CHANNELS],"
                                    + " two slots to a byte."
                            : "Values: offset of residuals"
                                    + " [PADDED_CHANNELS / GROUP_CHANNELS][KEPT_TOKENS][GROUP_CHANNELS].");
            if (values.signed()) {
                constant(
                        "VALUE_SIGNS",
                        values.signs(),
                        "Values: offset of 16-bit sign words [TILE_TOKENS / 16][PADDED_CHANNELS].");
                constant("VALUE_AMPLITUDES", values.amplitudes(), "Values: offset of amplitudes [PADDED_CHANNELS].");
            }
            if (values.quantised()) {
                constant(
                        "VALUE_RESIDUAL_SCALES",
                        values.residualScales(),
                        "Values: offset of the residuals' scales [PADDED_CHANNELS].");
            }
            constant(
                    "VALUE_INDICES",
                    values.indices(),
                    "Values: offset of token indices [PADDED_CHANNELS / GROUP_CHANNELS][KEPT_TOKENS][GROUP_CHANNELS].");
        });
    }

    /** Adds the methods that find a channel's first slot among the packed values. */
    static void addFirstSlot(TypeSpec.Builder type, ValueLayout values) {
        type.addMethod(KernelMethods.step("firstSlot")
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Place of a channel's first slot among the packed values; its slots are GROUP_CHANNELS"
                        + " apart.\n")
                .addParameter(int.class, "channel")
                .returns(long.class)
                .addStatement("return channel / GROUP_CHANNELS * (long) GROUP_CHANNELS * KEPT_TOKENS + channel %"
                        + " GROUP_CHANNELS")
                .build());
        if (values.residualBits() == 4) {
            type.addMethod(KernelMethods.step("firstRow")
                    .addModifiers(Modifier.STATIC)
                    .addJavadoc("Place of the byte that a channel's first two residuals share; the next two are"
                            + " GROUP_CHANNELS further.\n")
                    .addParameter(int.class, "channel")
                    .returns(long.class)
                    .addStatement("return channel / GROUP_CHANNELS * (long) GROUP_CHANNELS * ((KEPT_TOKENS + 1) / 2) +"
                            + " channel % GROUP_CHANNELS")
                    .build());
        }
    }

    private void constant(String name, int value, String meaning) {
        type.addField(FieldSpec.builder(int.class, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer("$L", value)
                .build());
    }
}
