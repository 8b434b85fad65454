package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.List;

/**
 * The plans for one vector width: what registers allow, the default among it, and the few others that are generated
 * because a machine's memory and caches, which nobody knows before, may prefer them.
 */
final class PlanSpace {

    /** Registers that the query tables of one pass may take; the rest holds accumulators and temporaries. */
    private static final int TABLE_REGISTERS = 16;

    /** More heads than this in one pass spill the accumulators. */
    private static final int MOST_HEADS = 4;

    /** Tiles that one head reads at once in the widest vectors. */
    private static final int MOST_STREAMS = 4;

    /** What is read ahead should stay in the second-level cache, of which half a megabyte is common. */
    private static final int READ_AHEAD_BYTES = 256 * 1024;

    private static final int MOST_READ_AHEAD_TILES = 8;

    private final AttentionModel model;
    private final TileLayout layout;
    private final Backend backend;

    PlanSpace(AttentionModel model, TileLayout layout, Backend backend) {
        this.model = model;
        this.layout = layout;
        this.backend = backend;
    }

    /**
     * Returns the default plan, then the variants: fewer heads in a pass and so more tiles at once, and the other way
     * of keeping memory busy (reading ahead instead of several tiles at once, or nothing instead of reading ahead). In
     * vectors that machines without permutes of two vectors have, there is one that does without.
     */
    List<KernelPlan> plans() {
        int heads = mostHeads();
        int streams = streams(heads);
        int readAhead = readAhead(streams);
        List<KernelPlan> plans = new ArrayList<>();
        plans.add(plan(heads, streams, readAhead, ""));
        if (streams > 1) {
            plans.add(plan(heads, 1, readAhead(1), "ahead" + readAhead(1)));
        } else {
            plans.add(plan(heads, 1, 0, "ahead0"));
        }
        for (int fewer = heads / 2; fewer >= 1; fewer /= 2) {
            if (streams(fewer) > 1) {
                plans.add(plan(fewer, streams(fewer), 0, "heads" + fewer + "-streams" + streams(fewer)));
            }
        }
        if (backend != Backend.VECTOR_512 && packed() && model.groupSize() > 1) {
            plans.add(gather());
        }
        return plans;
    }

    /** Rows hold four heads, whatever a vector holds; fewer leave the rest of them zero. For one it never pays. */
    private KernelPlan gather() {
        int heads = Math.min(MOST_HEADS, model.groupSize());
        return new KernelPlan(model, layout, backend, Strategy.GATHER, heads, 1, readAhead(1), "gather");
    }

    private KernelPlan plan(int heads, int streams, int readAhead, String variant) {
        return new KernelPlan(model, layout, backend, Strategy.PERMUTE, heads, streams, readAhead, variant);
    }

    private int mostHeads() {
        int tableBits = model.keys().format() == NumberFormat.FLOAT32 ? Float.SIZE : Short.SIZE;
        int tableRegisters = model.headDim() * tableBits / backend.vectorBits();
        int heads = TABLE_REGISTERS / Math.max(1, tableRegisters);
        return Math.clamp(heads, 1, Math.min(MOST_HEADS, model.groupSize()));
    }

    /** Every tile that is read at once takes accumulators of its own, for each head of the pass; tables leave fewer. */
    private int streams(int heads) {
        int most = backend.vectorBits() * MOST_STREAMS / Backend.VECTOR_512.vectorBits();
        return Math.clamp((packed() ? most : 2 * most) / heads, 1, Math.max(1, most));
    }

    private boolean packed() {
        return !model.keys().dense() || !model.values().dense();
    }

    /** Who reads several tiles at once keeps memory busy without reading ahead. */
    private int readAhead(int streams) {
        if (streams > 1) {
            return 0;
        }
        int bytes = Math.max(layout.tileBytes(), layout.denseTileBytes());
        return Math.clamp(READ_AHEAD_BYTES / bytes, 1, MOST_READ_AHEAD_TILES);
    }
}
