package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.LaneStream;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;

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
        device.keys().ifPresent(keys -> deviceKeys(keys, host.keys().orElseThrow()));
        device.values().ifPresent(values -> deviceValues(values, host.values().orElseThrow()));
        text.append("\n// A tile in host memory; offsets and sizes in bytes.\n");
        define("HOST_TILE_BYTES", host.tileBytes(), "a packed tile");
        define("HOST_VALUES", host.valueOffset(), "offset of the values");
        host.keys().ifPresent(this::hostKeys);
        host.values().ifPresent(this::hostValues);
        return text.toString();
    }

    private void deviceKeys(DeviceLayout.Keys keys, KeyLayout layout) {
        define("KEPT_CHANNELS", layout.kept(), "channels every token keeps");
        if (layout.centred()) {
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

    private void deviceValues(DeviceLayout.Values values, ValueLayout layout) {
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

    private void hostKeys(KeyLayout keys) {
        define("HOST_KEY_BLOCKS", keys.blocks(), "offset of the two key blocks");
        define("HOST_KEY_BLOCK_BYTES", keys.blockBytes(), "a key block");
        define("HOST_KEY_RESIDUALS", keys.residuals(), "key block: residuals [slot][32]");
        if (keys.signed()) {
            define("HOST_KEY_SIGNS", keys.signs(), "key block: 16-bit sign words [HEAD_DIM / 16][32]");
            define("HOST_KEY_AMPLITUDES", keys.amplitudes(), "key block: amplitudes [32]");
        }
        if (keys.quantised()) {
            define("HOST_KEY_RESIDUAL_SCALES", keys.residualScales(), "key block: scales of residuals [32]");
        }
        define("HOST_KEY_INDICES", keys.indices(), "key block: channels of the residuals [KEPT_CHANNELS][32]");
    }

    private void hostValues(ValueLayout values) {
        define("HOST_VALUE_RESIDUALS", values.residuals(), "values: residuals [PADDED_CHANNELS / 32][slot][32]");
        if (values.signed()) {
            define("HOST_VALUE_SIGNS", values.signs(), "values: 16-bit sign words [4][PADDED_CHANNELS]");
            define("HOST_VALUE_AMPLITUDES", values.amplitudes(), "values: amplitudes [PADDED_CHANNELS]");
        }
        if (values.quantised()) {
            define("HOST_VALUE_RESIDUAL_SCALES", values.residualScales(), "values: scales of residuals");
        }
        define("HOST_VALUE_INDICES", values.indices(), "values: tokens [PADDED_CHANNELS / 32][KEPT_TOKENS][32]");
    }

    private void define(String name, int value, String meaning) {
        String line = "#define %-26s %6d".formatted(name, value);
        text.append(meaning.isEmpty() ? line : line + "  // " + meaning).append('\n');
    }
}
