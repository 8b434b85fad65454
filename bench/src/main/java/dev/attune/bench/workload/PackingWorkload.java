package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Packs one side of a prompt as {@code KeyValueCache.prefill} does: a tile is copied from the prompt, then packed. */
abstract class PackingWorkload extends TileWorkload {

    private final int tileNumbers;
    private final MemorySegment source;
    private final int tokens;

    /** {@code [threads][64 * headDim]}. */
    private final float[][] rows;

    /** @param source {@code [keyValueHeads][tokens][headDim]} */
    PackingWorkload(Layer layer, RandomPrompt prompt, MemorySegment source, int tokens, int threads) {
        super(layer, prompt, tokens, threads);
        this.tileNumbers = CacheLayout.TILE_TOKENS * shape.headDim();
        this.source = source;
        this.tokens = tokens;
        this.rows = new float[threads][tileNumbers];
    }

    /** Packs one tile. */
    abstract void pack(AttentionKernels kernels, int head, float[] tileRows, long tile);

    @Override
    final void handle(AttentionKernels kernels, int member, int head, int firstTile, int count) {
        float[] tileRows = rows[member];
        for (int tile = firstTile; tile < firstTile + count; tile++) {
            long firstNumber = (long) head * tokens * shape.headDim() + (long) tile * tileNumbers;
            MemorySegment.copy(
                    source, ValueLayout.JAVA_FLOAT, firstNumber * Float.BYTES, tileRows, 0, tileNumbers);
            pack(kernels, head, tileRows, tile(head, tile));
        }
    }

    /** Returns the bytes of the prompt's float32 numbers and of what they are packed into. */
    final long bytes(String side) {
        return source.byteSize() + sideBytes(side);
    }
}
