package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An operation that reads packed tiles. Some are packed, and the others are copies of them: how fast a kernel is does
 * not depend on what it computes with.
 */
abstract class PackedTileWorkload extends TileWorkload {

    /** Tiles of each head that are packed. */
    private static final int DISTINCT_TILES = 16;

    PackedTileWorkload(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        super(layer, prompt, tokens, threads);
        AttentionKernels kernels = layer.provider().create(backend());
        MemorySegment keys = prompt.keys(tokens);
        MemorySegment values = prompt.values(tokens);
        int tiles = tokens / CacheLayout.TILE_TOKENS;
        float[] rows = new float[CacheLayout.TILE_TOKENS * shape.headDim()];
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            for (int tile = 0; tile < tiles; tile++) {
                if (tile < DISTINCT_TILES) {
                    long first = ((long) head * tiles + tile) * rows.length;
                    copy(keys, first, rows);
                    kernels.packKeys(head, rows, scales, cache, tile(head, tile));
                    copy(values, first, rows);
                    kernels.packValues(rows, cache, tile(head, tile));
                } else {
                    long original = tile(head, tile % DISTINCT_TILES);
                    MemorySegment.copy(cache, original, cache, tile(head, tile), layout.tileBytes());
                }
            }
        }
    }

    private static void copy(MemorySegment source, long first, float[] rows) {
        MemorySegment.copy(source, ValueLayout.JAVA_FLOAT, first * Float.BYTES, rows, 0, rows.length);
    }
}
