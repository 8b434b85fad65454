package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Decode steps of one caller: the tokens of every head are cut into slices, the threads at hand attend to slices of
 * heads, and the caller merges the partial results.
 *
 * <p>Where slices begin and end follows from the cache alone, and they are merged in their order: the result is the
 * same to the bit for any number of threads. It reaches the caller's arrays when all is done.
 */
final class DecodeStep extends SharedWork {

    /**
     * Tiles of a slice: 4096 tokens, 30 to 70 microseconds of work. Every call of the kernels prepares its queries
     * anew, which takes one to two microseconds for four query heads: with shorter slices one thread would pay for what
     * only many can use. A head's last slice takes up what is left over, half a slice less or more.
     */
    static final int SLICE_TILES = 64;

    /**
     * Tiles of all heads for which a thread is called: with less to do, the work would be done before a sleeping thread
     * woke up.
     */
    private static final int TILES_PER_THREAD = 64;

    private final LayerShape shape;
    private final DecodeSchedule schedule;
    private final PartialResults partialResults;

    /** For callers whose queries and results are in segments. */
    private final float[] ownQueries;

    private final float[] ownOutput;
    private final float[] ownLogSumExp;

    // The step in progress.
    private DecodeSchedule.Stage stage;
    private CacheContents contents;
    private CacheGeometry geometry;
    private MemorySegment memory;
    private float[] queries;

    /** Tiles of a head up to the end of the ring of dense tiles; those after it, if any, are a slice of their own. */
    private int adjoiningTiles;

    /** Slices of the adjoining tiles, and of all tiles. */
    private int adjoiningSlices;

    private int slices;

    DecodeStep(LayerShape shape, DecodeSchedule schedule, WorkerPool workers, int threads) {
        super(workers, threads);
        this.shape = shape;
        this.schedule = schedule;
        this.partialResults = new PartialResults(shape);
        this.ownQueries = new float[shape.queryHeads() * shape.headDim()];
        this.ownOutput = new float[shape.queryHeads() * shape.headDim()];
        this.ownLogSumExp = new float[shape.queryHeads()];
    }

    /** Returns a buffer {@code [queryHeads][headDim]} that the step itself does not use. */
    float[] ownQueries() {
        return ownQueries;
    }

    /** Returns a buffer {@code [queryHeads][headDim]} that the step itself does not use. */
    float[] ownOutput() {
        return ownOutput;
    }

    /** Returns a buffer {@code [queryHeads]} that the step itself does not use. */
    float[] ownLogSumExp() {
        return ownLogSumExp;
    }

    /** Returns the variant that the last step ran on. */
    KernelVariant variant() {
        return stage.variant();
    }

    /**
     * Attends to all tokens of a cache. If it throws, nothing was written, and the step is not to be used again.
     *
     * @param queries {@code [queryHeads][headDim]}
     * @param output {@code [queryHeads][headDim]}, written
     * @param logSumExp {@code [queryHeads]}, written
     */
    void attend(
            CacheContents contents,
            CacheGeometry geometry,
            MemorySegment memory,
            float[] queries,
            float[] output,
            float[] logSumExp) {
        this.stage = schedule.forTokens(contents.tokens());
        if (contents.tokens() == 0) {
            Arrays.fill(output, 0);
            Arrays.fill(logSumExp, Float.NEGATIVE_INFINITY);
            return;
        }
        this.contents = contents;
        this.geometry = geometry;
        this.memory = memory;
        this.queries = queries;
        cut();
        partialResults.reserve(mostSlices(geometry));
        run(shape.keyValueHeads() * slices, usefulThreads());
        partialResults.merge(slices, output, logSumExp);
        // A pooled step keeps no cache, and nothing of its caller's, from being collected.
        this.contents = null;
        this.memory = null;
        this.queries = null;
    }

    private void cut() {
        int afterTheRing = Math.max(0, contents.oldestDenseTile() + contents.denseTiles() - geometry.denseTiles());
        adjoiningTiles = contents.tiles() - afterTheRing;
        adjoiningSlices = slicesOf(adjoiningTiles);
        slices = adjoiningSlices + (afterTheRing > 0 ? 1 : 0);
    }

    private static int slicesOf(int tiles) {
        return Math.max(1, (tiles + SLICE_TILES / 2) / SLICE_TILES);
    }

    private static int mostSlices(CacheGeometry geometry) {
        return slicesOf(geometry.packedTiles() + geometry.denseTiles()) + 1;
    }

    private int usefulThreads() {
        long tiles = (long) shape.keyValueHeads() * contents.tiles();
        return Math.clamp(tiles / TILES_PER_THREAD, 1, mostAtWork());
    }

    @Override
    void takePart() {
        LendingPool<Workspace> workspaces = stage.workspaces();
        Workspace workspace = workspaces.acquire();
        for (int item = claim(); item != NONE; item = claim()) {
            attendSlice(workspace.kernels(), item / slices, item % slices);
        }
        workspaces.release(workspace);
    }

    private void attendSlice(AttentionKernels kernels, int head, int slice) {
        int first = firstTile(slice);
        int end = slice + 1 < slices ? firstTile(slice + 1) : contents.tiles();
        int packed = contents.packedTiles();
        int firstDense = Math.max(first - packed, 0);
        kernels.attend(
                head,
                queries,
                contents.scales(),
                memory,
                geometry.packedTile(head, Math.min(first, packed)),
                tokens(contents.packedTokens(), first, end),
                geometry.denseTile(head, (contents.oldestDenseTile() + firstDense) % geometry.denseTiles()),
                tokens(contents.denseTokens(), firstDense, end - packed),
                partialResults.output(slice),
                partialResults.logSumExp(slice));
    }

    private int firstTile(int slice) {
        return slice == adjoiningSlices ? adjoiningTiles : slice * SLICE_TILES;
    }

    /** Returns how many of so many tokens are in a range of their tiles, which may lie beyond them. */
    private static int tokens(int tokens, int firstTile, int endTile) {
        long before = (long) firstTile * CacheLayout.TILE_TOKENS;
        long within = Math.min(tokens, (long) endTile * CacheLayout.TILE_TOKENS) - before;
        return (int) Math.max(within, 0);
    }
}
