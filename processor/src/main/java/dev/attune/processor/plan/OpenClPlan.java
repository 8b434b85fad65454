package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;

/**
 * How the OpenCL program of a specification is written; together with the model it determines the text completely.
 *
 * @param model the specification
 * @param layout the bytes of its tiles in host memory, which tiles are exchanged in
 * @param device the bytes of its tiles in device memory
 * @param heads query heads that share a pass over the tokens, a power of two; those beyond the group's are idle
 * @param teams teams of 32 work-items in a work-group; each takes a tile at a time
 */
public record OpenClPlan(AttentionModel model, TileLayout layout, DeviceLayout device, int heads, int teams) {

    /** More heads than this in one pass spill the accumulators. */
    private static final int MOST_HEADS = 4;

    private static final int MOST_TEAMS = 4;

    /** Local memory of a work-group that OpenCL guarantees. */
    private static final int LOCAL_BYTES = 32 * 1024;

    /** Plans the program of a specification. */
    public static OpenClPlan of(AttentionModel model) {
        TileLayout layout = TileLayout.of(model);
        int heads = MOST_HEADS;
        while (heads / 2 >= model.groupSize() || localBytes(model, heads, 1) > LOCAL_BYTES) {
            heads /= 2;
        }
        int teams = MOST_TEAMS;
        while (localBytes(model, heads, teams) > LOCAL_BYTES) {
            teams /= 2;
        }
        return new OpenClPlan(model, layout, DeviceLayout.of(model, layout), heads, teams);
    }

    /** Local memory of the decode kernel: tables of queries, then of each team's weights, maxima and mean terms. */
    private static int localBytes(AttentionModel model, int heads, int teams) {
        int channels = TileLayout.paddedChannels(model.headDim());
        int queries = channels + channels / 4 * 16;
        int weights = 2 * TileLayout.TILE_TOKENS + TileLayout.TILE_TOKENS / 4 * 16 + 2 * LaneStream.LANES;
        return (queries + teams * weights) * heads * Float.BYTES + 64;
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
