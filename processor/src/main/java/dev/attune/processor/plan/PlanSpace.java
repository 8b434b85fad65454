package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The plans for one vector width that registers and caches allow: the default, and those that a machine's memory and
 * caches, which nobody knows before, may prefer to it.
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

    /** Heads whose rows are looked up; tables of more would not stay in the second-level cache beside tiles. */
    private static final int MOST_HEADS_OF_ROWS = 16;

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
    List<KernelPlan> usual() {
        int heads = mostHeads();
        int streams = streams(heads);
        List<KernelPlan> plans = new ArrayList<>();
        plans.add(permute(heads, streams, readAhead(streams)));
        plans.add(permute(heads, 1, streams > 1 ? mostReadAhead() : 0));
        for (int fewer = heads / 2; fewer >= 1; fewer /= 2) {
            if (streams(fewer) > 1) {
                plans.add(permute(fewer, streams(fewer), 0));
            }
        }
        if (gathers()) {
            plans.add(gather(mostReadAhead()));
        }
        return plans;
    }

    /**
     * Returns every plan that registers and caches allow, those of {@link #usual} first: too many to time all of them.
     */
    List<KernelPlan> all() {
        Set<KernelPlan> plans = new LinkedHashSet<>(usual());
        for (int heads = mostHeads(); heads >= 1; heads /= 2) {
            for (int streams = streams(heads); streams > 1; streams /= 2) {
                plans.add(permute(heads, streams, 0));
            }
            for (int readAhead : readAheads()) {
                plans.add(permute(heads, 1, readAhead));
            }
        }
        if (gathers()) {
            readAheads().forEach(readAhead -> plans.add(gather(readAhead)));
        }
        return List.copyOf(plans);
    }

    /** Returns the numbers of tiles to be read ahead: nothing, powers of two, and the most. */
    private Set<Integer> readAheads() {
        Set<Integer> tiles = new TreeSet<>(List.of(0, mostReadAhead()));
        for (int some = 1; some < mostReadAhead(); some *= 2) {
            tiles.add(some);
        }
        return tiles;
    }

    /** For one head rows never pay, for many their tables are too long, and the widest vectors have better permutes. */
    private boolean gathers() {
        return backend != Backend.VECTOR_512
                && packed()
                && model.groupSize() > 1
                && model.groupSize() <= MOST_HEADS_OF_ROWS;
    }

    /** Rows hold four heads, whatever a vector holds; fewer leave the rest of them zero. */
    private KernelPlan gather(int readAhead) {
        int heads = Math.min(MOST_HEADS, model.groupSize());
        String variant = readAhead == mostReadAhead() ? "gather" : "gather-ahead" + readAhead;
        return new KernelPlan(model, layout, backend, Strategy.GATHER, heads, 1, readAhead, variant);
    }

    private KernelPlan permute(int heads, int streams, int readAhead) {
        return new KernelPlan(
                model, layout, backend, Strategy.PERMUTE, heads, streams, readAhead, name(heads, streams, readAhead));
    }

    /** Names a plan by what sets it apart from the default, whose name is empty. */
    private String name(int heads, int streams, int readAhead) {
        int most = mostHeads();
        if (heads == most && streams == streams(most) && readAhead == readAhead(streams)) {
            return "";
        }
        String memory = streams > 1 ? "streams" + streams : "ahead" + readAhead;
        return heads == most ? memory : "heads" + heads + "-" + memory;
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
        return streams > 1 ? 0 : mostReadAhead();
    }

    private int mostReadAhead() {
        int bytes = Math.max(layout.tileBytes(), layout.denseTileBytes());
        return Math.clamp(READ_AHEAD_BYTES / bytes, 1, MOST_READ_AHEAD_TILES);
    }
}
