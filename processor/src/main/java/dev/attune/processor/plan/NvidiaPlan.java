package dev.attune.processor.plan;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import java.util.Optional;

/**
 * How the decode step of a specification is written for NVIDIA devices of compute capability 9.0 and up.
 *
 * @param model the specification
 * @param device the bytes of its tiles in device memory
 * @param warps warps of a work-group; each has a tile in hand
 * @param groupsPerUnit work-groups that a compute unit has room for
 * @param leastArenaBytes local memory of the warps, at least
 * @param weightShift how far the weights' reference stays below the largest score, as an exponent of 2: integers are
 *     multiplied in half precision, which this makes the most of
 */
public record NvidiaPlan(
        AttentionModel model, DeviceLayout device, int warps, int groupsPerUnit, int leastArenaBytes, int weightShift) {

    /** Query heads of a pass. */
    public static final int HEADS = 4;

    /** Channels of a head: those of a lane are four. */
    private static final int HEAD_DIM = 128;

    private static final int LOCAL_BYTES = 48 * 1024;

    /** Of which a unit has room for four: it has 227 KB, and keeps one more for each. */
    private static final int LOCAL_BYTES_OF_FOUR = 45 * 1024;

    /** Local memory aside from that of the warps: the query's tables and operands, and 20 bytes a warp. */
    private static final int TABLE_BYTES = 5376;

    private static final int SCRATCH_BYTES = 1024;

    /** Plans the decode step, if the specification is one that it is written for. */
    public static Optional<NvidiaPlan> of(OpenClPlan plan) {
        AttentionModel model = plan.model();
        if (model.headDim() != HEAD_DIM || !suits(model.keys()) || !suits(model.values())) {
            return Optional.empty();
        }
        DeviceLayout device = plan.device();
        int stages = (device.keys().isPresent() ? device.valueOffset() : 0)
                + (device.values().isPresent() ? device.tileBytes() - device.valueOffset() : 0);
        boolean oneDense = device.keys().isEmpty() || device.values().isEmpty();
        int room = (LOCAL_BYTES - TABLE_BYTES) / (SCRATCH_BYTES + stages);
        // Four would leave each work-item 128 registers, of which both packed sides take all: one more, and a quarter
        // of the groups has no room.
        int warps = Math.min(room, oneDense ? 4 : 3);
        if (warps < 1) {
            return Optional.empty();
        }
        // Measured: fewer leave memory idle, more come late.
        int groupsPerUnit = stages == 0 ? 6 : 4;
        // A compiler that finds room for a fifth group gives four of them registers for five.
        int leastArenaBytes = stages == 0 ? 0 : LOCAL_BYTES_OF_FOUR - TABLE_BYTES;
        return Optional.of(
                new NvidiaPlan(model, device, warps, groupsPerUnit, leastArenaBytes, weightShift(model)));
    }

    private static boolean suits(PruningModel side) {
        return side.format() == NumberFormat.BFLOAT16 || side.format() == NumberFormat.INT8;
    }

    private static int weightShift(AttentionModel model) {
        if (model.values().dense() || model.values().format() != NumberFormat.INT8) {
            return 0;
        }
        int kept = model.values().kept(TileLayout.TILE_TOKENS);
        return kept <= 16 ? 4 : kept <= 32 ? 3 : 2;
    }

    /** Returns whether the kept entries of packed tiles are to be arranged for look-ups, once they are stored. */
    public boolean arranged() {
        return device.keys().isPresent() || device.values().isPresent();
    }

    /** Returns how many passes cover the group's query heads. */
    public int passes() {
        return (model.groupSize() + HEADS - 1) / HEADS;
    }
}
