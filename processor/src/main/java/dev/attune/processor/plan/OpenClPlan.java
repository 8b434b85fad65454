package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.AttentionModel;

/**
 * How the OpenCL program of a specification is written; together with the model it determines the text completely.
 *
 * @param model the specification
 * @param layout the bytes of its tiles in host memory, which tiles are exchanged in
 * @param device the bytes of its tiles in device memory
 * @param heads query heads that share a pass over the tokens, a power of two; those beyond the group's are idle
 * @param inRegisters whether {@code attend} holds a lane's part of a tile in registers, with the loads of the next part
 *     under way: faster, but not for tiles whose parts are too large, as those of 512 channels, of 256 in float32, or
 *     of most kept at 128
 * @param pairs whether its tables hold the heads' numbers as bfloat16, in pairs: half of the local memory's traffic.
 *     Only where the cache's numbers are no finer
 * @param teams teams of 32 work-items in a work-group; each takes a tile at a time
 */
public record OpenClPlan(
        AttentionModel model,
        TileLayout layout,
        DeviceLayout device,
        int heads,
        boolean inRegisters,
        boolean pairs,
        int teams) {

    /** More heads than this in one pass spill the accumulators. */
    private static final int MOST_HEADS = 4;

    private static final int MOST_TEAMS = 4;

    /** Local memory of a work-group that OpenCL guarantees. */
    private static final int LOCAL_BYTES = 32 * 1024;

    /**
     * 32-bit words of a tile's keys, or of a group of its values, that a lane has registers for beside its sums;
     * devices give a work-item 255 registers at most.
     */
    private static final int MOST_WORDS = 128;

    /** Plans the program of a specification. */
    public static OpenClPlan of(AttentionModel model) {
        TileLayout layout = TileLayout.of(model);
        DeviceLayout device = DeviceLayout.of(model, layout);
        boolean inRegisters = keyWords(model, device) <= MOST_WORDS && valueWords(device) <= MOST_WORDS;
        int heads = MOST_HEADS;
        while (heads / 2 >= model.groupSize() || localBytes(model, inRegisters, heads, 1) > LOCAL_BYTES) {
            heads /= 2;
        }
        boolean pairs = inRegisters
                && heads == MOST_HEADS
                && model.keys().plainFormat() == NumberFormat.BFLOAT16
                && model.values().plainFormat() == NumberFormat.BFLOAT16;
        int teams = inRegisters ? 1 : MOST_TEAMS;
        while (localBytes(model, inRegisters, heads, teams) > LOCAL_BYTES) {
            teams /= 2;
        }
        return new OpenClPlan(model, layout, device, heads, inRegisters, pairs, teams);
    }

    private static int keyWords(AttentionModel model, DeviceLayout device) {
        int means = device.channels() / 8 * TileLayout.bytes(model.keys().plainFormat()) / Integer.BYTES;
        int signs = DeviceLayout.KEY_COLUMNS * device.channels() / Integer.SIZE;
        return device.keys()
                .map(keys -> (keys.slots().laneBytes() + keys.channels().laneBytes()) / Integer.BYTES
                        + (keys.centred() ? means : 0)
                        + (keys.signed() ? signs : 0))
                .orElse(0);
    }

    private static int valueWords(DeviceLayout device) {
        return device.values()
                .map(values -> (values.slots().laneBytes() + values.tokens().laneBytes()) / Integer.BYTES
                        + (values.signed() ? 2 * device.valueColumns() : 0))
                .orElse(0);
    }

    /**
     * Local memory of {@code attend}: tables of queries, those of dense and of packed keys; then of each team's weights
     * and of what its lanes tell each other.
     */
    private static int localBytes(AttentionModel model, boolean inRegisters, int heads, int teams) {
        int channels = TileLayout.paddedChannels(model.headDim());
        int queries = (inRegisters ? 2 : 1) * channels + channels / 4 * 16;
        int weights = inRegisters
                ? TileLayout.TILE_TOKENS + 17 * 16 + LaneStream.LANES
                : 2 * TileLayout.TILE_TOKENS + TileLayout.TILE_TOKENS / 4 * 16 + 2 * LaneStream.LANES;
        return (queries + teams * weights) * heads * Float.BYTES + 64;
    }

    /** Returns the exponent of 2 of the bytes that a table holds of a channel or a token. */
    public int tableShift() {
        return Integer.numberOfTrailingZeros(heads * (pairs ? Short.BYTES : Float.BYTES));
    }

    /**
     * Returns how many work-groups of {@code attend} a unit of a graphics processor should have: some work while others
     * wait for memory. A side that is dense leaves registers for more of them.
     */
    public int groupsPerUnit() {
        return device.keys().isEmpty() || device.values().isEmpty() ? 16 : 8;
    }

    /** Returns how many passes cover the group's query heads. */
    public int passes() {
        return (model.groupSize() + heads - 1) / heads;
    }

    /** Returns what users call the kernels. */
    public String name() {
        return "opencl";
    }

    /** Returns the simple name of the generated class. */
    public String className() {
        return model.kernelsName(Backend.OPENCL);
    }
}
