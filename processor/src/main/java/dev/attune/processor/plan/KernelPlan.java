package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.List;

/**
 * One way to write the kernels of a specification; together with the model it determines the text completely.
 *
 * @param model the specification
 * @param layout the bytes of its tiles
 * @param backend what the kernels run on
 * @param strategy how they look entries up
 * @param headGroup query heads that share one pass over the packed tokens
 * @param streams tiles, from as many places of the cache, that are read at once
 * @param readAheadTiles tiles that are read once, in order, before the kernels read them piecemeal; 0 for none
 */
public record KernelPlan(
        AttentionModel model,
        TileLayout layout,
        Backend backend,
        Strategy strategy,
        int headGroup,
        int streams,
        int readAheadTiles) {

    /** Registers that the query tables of one pass may take; the rest holds accumulators and temporaries. */
    private static final int TABLE_REGISTERS = 16;

    /** More heads than this in one pass spill the accumulators. */
    private static final int MOST_HEADS = 4;

    /** Tiles that one head reads at once in the widest vectors. */
    private static final int MOST_STREAMS = 4;

    /** What is read ahead should stay in the second-level cache, of which half a megabyte is common. */
    private static final int READ_AHEAD_BYTES = 256 * 1024;

    private static final int MOST_READ_AHEAD_TILES = 8;

    /** Plans one class per backend: the vectors the model asks for, the widest first, then the scalar oracle. */
    public static List<KernelPlan> all(AttentionModel model) {
        TileLayout layout = TileLayout.of(model);
        List<KernelPlan> plans = new ArrayList<>();
        for (Backend backend : model.backends()) {
            int headGroup = headGroup(model, backend);
            int streams = streams(model, backend, headGroup);
            plans.add(new KernelPlan(
                    model,
                    layout,
                    backend,
                    Strategy.PERMUTE,
                    headGroup,
                    streams,
                    streams == 1 ? readAheadTiles(layout) : 0));
        }
        plans.add(new KernelPlan(model, layout, Backend.SCALAR, Strategy.SCALAR, 1, 1, 0));
        return List.copyOf(plans);
    }

    private static int readAheadTiles(TileLayout layout) {
        int bytes = Math.max(layout.tileBytes(), layout.denseTileBytes());
        return Math.clamp(READ_AHEAD_BYTES / bytes, 1, MOST_READ_AHEAD_TILES);
    }

    private static int headGroup(AttentionModel model, Backend backend) {
        int tableBits = model.keys().format() == NumberFormat.FLOAT32 ? Float.SIZE : Short.SIZE;
        int tableRegisters = model.headDim() * tableBits / backend.vectorBits();
        int heads = TABLE_REGISTERS / Math.max(1, tableRegisters);
        return Math.clamp(heads, 1, Math.min(MOST_HEADS, model.groupSize()));
    }

    /** Every tile that is read at once takes accumulators of its own, for each head of the pass; tables leave fewer. */
    private static int streams(AttentionModel model, Backend backend, int headGroup) {
        int most = backend.vectorBits() * MOST_STREAMS / Backend.VECTOR_512.vectorBits();
        boolean tables = !model.keys().dense() || !model.values().dense();
        return Math.clamp((tables ? most : 2 * most) / headGroup, 1, Math.max(1, most));
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
