package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.List;

/**
 * One way to write the kernels of a specification; together with the model it determines the text completely.
 *
 * @param model the specification
 * @param layout the bytes of its tiles
 * @param backend what the kernels run on
 * @param chunkTiles tiles whose scores are computed before their softmax and value sum
 * @param headGroup query heads that share one pass over the packed tokens
 */
public record KernelPlan(AttentionModel model, TileLayout layout, Backend backend, int chunkTiles, int headGroup) {

    /** Registers that the query tables of one pass may take; the rest holds accumulators and temporaries. */
    private static final int TABLE_REGISTERS = 16;

    /** More heads than this in one pass spill the accumulators. */
    private static final int MOST_HEADS = 4;

    /** A chunk is read several times: it should stay in the second-level cache, of which half a megabyte is common. */
    private static final int CHUNK_BYTES = 256 * 1024;

    private static final int MOST_CHUNK_TILES = 8;

    /** Plans one Java class per backend: the vectors the model asks for, the widest first, then the scalar oracle. */
    public static List<KernelPlan> all(AttentionModel model) {
        TileLayout layout = TileLayout.of(model);
        List<KernelPlan> plans = new ArrayList<>();
        for (Backend backend : model.vectorBackends()) {
            plans.add(new KernelPlan(model, layout, backend, chunkTiles(layout), vectorHeadGroup(model, backend)));
        }
        plans.add(new KernelPlan(model, layout, Backend.SCALAR, 1, 1));
        return List.copyOf(plans);
    }

    private static int chunkTiles(TileLayout layout) {
        return Math.clamp(CHUNK_BYTES / Math.max(layout.tileBytes(), layout.denseTileBytes()), 1, MOST_CHUNK_TILES);
    }

    private static int vectorHeadGroup(AttentionModel model, Backend backend) {
        int tableBits = model.keys().format() == NumberFormat.FLOAT32 ? Float.SIZE : Short.SIZE;
        int tableRegisters = model.headDim() * tableBits / backend.vectorBits();
        int heads = TABLE_REGISTERS / Math.max(1, tableRegisters);
        return Math.clamp(heads, 1, Math.min(MOST_HEADS, model.groupSize()));
    }

    /** Returns the sizes of the passes that cover all {@code G} query heads, for example 4 and 3 for 7 heads. */
    public List<Integer> passes() {
        List<Integer> passes = new ArrayList<>();
        for (int head = 0; head < model.groupSize(); head += headGroup) {
            passes.add(Math.min(headGroup, model.groupSize() - head));
        }
        return passes;
    }

    /** Returns the 32-bit lanes of a vector. */
    public int lanes() {
        return backend.vectorBits() / Integer.SIZE;
    }

    /** Returns the simple name of the generated class. */
    public String className() {
        return model.kernelsName(backend);
    }
}
