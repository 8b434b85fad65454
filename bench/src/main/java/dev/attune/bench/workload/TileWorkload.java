package dev.attune.bench.workload;

import dev.attune.annotations.Backend;
import dev.attune.bench.layers.Layer;
import dev.attune.bench.measure.Crew;
import dev.attune.runtime.Attune;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntConsumer;

/**
 * An operation that the runtime offers inside others only: its kernels are called on packed tiles of our own. Heads are
 * cut into chunks, which the threads take in turn.
 */
abstract class TileWorkload implements Workload {

    /** Tokens of a chunk: scores and weights of a chunk stay in the second-level cache. */
    static final int CHUNK_TOKENS = 4096;

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;
    private static final int ALIGNMENT = 64;

    final LayerShape shape;
    final CacheLayout layout;
    final float[] scales;
    final MemorySegment cache;

    private final int tokens;
    private final int tilesPerHead;
    private final Arena arena = Arena.ofShared();
    private final Crew crew;
    private final AttentionKernels[] kernels;

    /** Kept, so that a step allocates no method reference. */
    private final IntConsumer share = this::share;

    TileWorkload(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        if (tokens < TILE_TOKENS || tokens % TILE_TOKENS != 0) {
            throw new IllegalArgumentException(tokens + " tokens: kernels are measured on whole tiles, of "
                    + TILE_TOKENS + " tokens each; give a multiple of that");
        }
        this.shape = layer.provider().shape();
        this.layout = layer.provider().layout();
        this.tokens = tokens;
        this.tilesPerHead = tokens / TILE_TOKENS;
        this.crew = new Crew(threads);
        this.kernels = new AttentionKernels[threads];
        Backend backend = Attune.kernels(layer.provider()).backend();
        for (int member = 0; member < threads; member++) {
            kernels[member] = layer.provider().create(backend);
        }
        this.scales = new float[shape.keyValueHeads() * shape.headDim()];
        float[] window = prompt.windowQueries(shape.queryHeads()).toArray(ValueLayout.JAVA_FLOAT);
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            kernels[0].scoreChannels(head, window, shape.window(), scales);
        }
        this.cache = arena.allocate((long) shape.keyValueHeads() * tilesPerHead * layout.tileBytes(), ALIGNMENT);
    }

    /**
     * Handles some tokens of one head.
     *
     * @param kernels the thread's kernels
     * @param member the thread's number
     * @param head index of the key-value head
     * @param firstTile index of the first tile, within the head
     * @param count number of tiles
     */
    abstract void handle(AttentionKernels kernels, int member, int head, int firstTile, int count);

    /** Returns the offset of a packed tile. */
    final long tile(int head, int tile) {
        return ((long) head * tilesPerHead + tile) * layout.tileBytes();
    }

    /** Returns the bytes that all tiles' parts of one side take. */
    final long sideBytes(String side) {
        long bytesPerTile = layout.parts().stream()
                .filter(part -> part.name().startsWith(side))
                .mapToLong(CacheLayout.Part::bytes)
                .sum();
        return bytesPerTile * tilesPerHead * shape.keyValueHeads();
    }

    @Override
    public final void step() {
        crew.run(share);
    }

    private void share(int member) {
        int chunkTiles = CHUNK_TOKENS / TILE_TOKENS;
        int chunks = Math.ceilDiv(tilesPerHead, chunkTiles);
        for (int chunk = member; chunk < chunks * shape.keyValueHeads(); chunk += kernels.length) {
            int firstTile = chunk % chunks * chunkTiles;
            int count = Math.min(chunkTiles, tilesPerHead - firstTile);
            handle(kernels[member], member, chunk / chunks, firstTile, count);
        }
    }

    @Override
    public final Backend backend() {
        return kernels[0].backend();
    }

    @Override
    public final long tokenHeads() {
        return (long) tokens * shape.keyValueHeads();
    }

    @Override
    public final void close() {
        crew.close();
        arena.close();
    }
}
