package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.LaneStream;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.processor.plan.TileLayout;

/** The named numbers of a program: the specification, then the bytes of a tile on the device and in host memory. */
final class ConstantsText {

    private final OpenClPlan plan;
    private final StringBuilder text = new StringBuilder();

    private ConstantsText(OpenClPlan plan) {
        this.plan = plan;
    }

    static String write(OpenClPlan plan) {
        return new ConstantsText(plan).write();
    }

    private String write() {
        TileLayout host = plan.layout();
        DeviceLayout device = plan.device();
        define("HEAD_DIM", host.headDim(), "channels of one head");
        define("PADDED_CHANNELS", host.channels(), "HEAD_DIM rounded up to a multiple of 32");
        define("GROUP_SIZE", plan.model().groupSize(), "query heads that share one key-value head");
        define("TILE_TOKENS", TileLayout.TILE_TOKENS, "tokens of a tile");
        define("LANES", LaneStream.LANES, "work-items that attend to a tile together");
        define("KEY_COLUMNS", DeviceLayout.KEY_COLUMNS, "tokens of a tile that a lane owns, LANES apart");
        define("VALUE_COLUMNS", device.valueColumns(), "channels of a group that a lane owns, LANES apart");
        define("VALUE_GROUPS", device.valueGroups(), "groups of channels");
        text.append("\n// A tile in device memory; offsets and sizes in bytes. A stream has so many bytes a lane.\n");
        define("TILE_BYTES", device.tileBytes(), "a packed tile");
        define("DENSE_TILE_BYTES", device.denseTileBytes(), "a dense tile");
        define("VALUES", device.valueOffset(), "packed tile: offset of the values");
        define("DENSE_VALUES", device.denseValueOffset(), "dense tile: offset of the values");
        define("DENSE_KEY_STREAM", device.denseKeys().laneBytes(), "dense keys: element 2 j + k, channel j");
        define("DENSE_VALUE_STREAM", device.denseValues().laneBytes(),
                "dense values of a group: element VALUE_COLUMNS t + k, token t");
        device.keys().ifPresent(keys -> deviceKeys(keys, host.keys().orElseThrow().block()));
        device.values().ifPresent(values -> deviceValues(values, host.values().orElseThrow().block()));
        text.append("\n// A tile in host memory; offsets and sizes in bytes.\n");
        define("HOST_TILE_BYTES", host.tileBytes(), "a packed tile");
        define("HOST_VALUES", host.valueOffset(), "offset of the values");
        host.keys().ifPresent(keys -> hostBlocks("KEY", keys.blocks(), keys.signs(), keys.block()));
        host.values().ifPresent(values -> hostBlocks("VALUE", 0, values.signs(), values.block()));
        return text.toString();
    }

    private void deviceKeys(DeviceLayout.Keys keys, BlockLayout layout) {
        define("KEPT_CHANNELS", layout.kept(), "channels every token keeps");
        if (keys.centred()) {
            define("KEY_MEANS", keys.means(), "means [PADDED_CHANNELS]");
        }
        define(
                "KEY_RESIDUALS",
                keys.residuals(),
                layout.residualBits() == 4
                        ? "residuals: element 2 s + k, slots 2 s and 2 s + 1"
                        : "stream of residuals: element 2 s + k, slot s");
        define("KEY_RESIDUAL_STREAM", keys.slots().laneBytes(), "");
        define("KEY_INDICES", keys.indices(), "stream of their channels: element 2 s + k, slot s");
        define("KEY_INDEX_STREAM", keys.channels().laneBytes(), "");
        if (layout.signed()) {
            define(
                    "PRUNED_CHANNELS",
                    Math.max(1, plan.layout().headDim() - layout.kept()),
                    "channels an amplitude stands for");
            define("KEY_SIGNS", keys.signs(), "sign words [TILE_TOKENS][PADDED_CHANNELS / 32]");
            define("KEY_AMPLITUDES", keys.amplitudes(), "amplitudes, token l + 32 k at 2 l + k");
        }
        if (layout.quantised()) {
            define("KEY_RESIDUAL_SCALES", keys.residualScales(), "scales of residuals, as the amplitudes");
        }
    }

    private void deviceValues(DeviceLayout.Values values, BlockLayout layout) {
        define("KEPT_TOKENS", layout.kept(), "tokens every value channel keeps of a tile");
        define(
                "VALUE_RESIDUALS",
                values.residuals(),
                layout.residualBits() == 4
                        ? "residuals: element VALUE_COLUMNS s + k, slots 2 s and 2 s + 1"
                        : "streams of residuals: element VALUE_COLUMNS s + k, slot s");
        define("VALUE_RESIDUAL_STREAM", values.slots().laneBytes(), "");
        define("VALUE_INDICES", values.indices(), "streams of their tokens: element VALUE_COLUMNS s + k, slot s");
        define("VALUE_INDEX_STREAM", values.tokens().laneBytes(), "");
        if (layout.signed()) {
            define(
                    "PRUNED_TOKENS",
                    Math.max(1, TileLayout.TILE_TOKENS - layout.kept()),
                    "tokens of a tile an amplitude stands for");
            define("VALUE_SIGNS", values.signs(), "sign words [PADDED_CHANNELS][2], see token_of_bit");
            define("VALUE_AMPLITUDES", values.amplitudes(), "amplitudes of a group, column k at VALUE_COLUMNS l + k");
        }
        if (layout.quantised()) {
            define("VALUE_RESIDUAL_SCALES", values.residualScales(), "scales of residuals, as the amplitudes");
        }
    }

    private void hostBlocks(String side, int kept, int signs, BlockLayout block) {
        String prefix = "HOST_" + side;
        define(prefix + "_KEPT", kept, "kept entries of the blocks of 32 lanes");
        define(prefix + "_KEPT_BYTES", block.keptBytes(), "those of a block");
        define(
                prefix + "_SLOT_BYTES",
                block.slotBytes(),
                block.slotsPerRow() == 1
                        ? "a slot: residuals [32], indices [32]"
                        : "a pair of slots: residuals [32], indices [2][32]");
        define(prefix + "_INDICES", block.indices(), "offset of the indices in it");
        if (block.quantised()) {
            define(prefix + "_RESIDUAL_SCALES", block.residualScales(), "block: scales of residuals [32]");
        }
        if (block.signed()) {
            define(prefix + "_SIGNS", signs, "signs of the blocks");
            define(
                    prefix + "_SIGN_BYTES",
                    block.signBytes(),
                    "those of a block: 16-bit words [" + block.signWords() + "][32]");
            define(prefix + "_AMPLITUDES", block.signWordBytes(), "offset of the amplitudes [32] behind them");
        }
    }

    private void define(String name, int value, String meaning) {
        String line = "#define %-26s %6d".formatted(name, value);
        text.append(meaning.isEmpty() ? line : line + "  // " + meaning).append('\n');
    }
}
