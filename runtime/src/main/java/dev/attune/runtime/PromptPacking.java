package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import java.lang.foreign.MemorySegment;

/** Packs a prompt's tokens, tile by tile, into the tiles of an empty cache: runs of tiles of all heads in parallel. */
final class PromptPacking extends SharedWork {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    /** Tiles of one item: 1024 tokens, which take about as long to pack as a thread takes to wake up. */
    private static final int RUN_TILES = 16;

    private final LendingPool<Workspace> workspaces;
    private final CacheGeometry geometry;
    private final MemorySegment memory;
    private final Prompt prompt;
    private final float[] scales;
    private final int tokens;
    private final int runs;

    /**
     * Prepares the packing.
     *
     * @param scales channel scales {@code [keyValueHeads][headDim]}
     * @param tokens how many tokens of the prompt are packed, from its first on
     */
    PromptPacking(
            SharedResources resources,
            CacheGeometry geometry,
            MemorySegment memory,
            Prompt prompt,
            float[] scales,
            int tokens) {
        super(resources.workers(), resources.threads());
        this.workspaces = resources.workspaces();
        this.geometry = geometry;
        this.memory = memory;
        this.prompt = prompt;
        this.scales = scales;
        this.tokens = tokens;
        this.runs = Math.ceilDiv(Math.ceilDiv(tokens, TILE_TOKENS), RUN_TILES);
    }

    /** Packs all heads. If it throws, bytes of packed tiles may have been written. */
    void run() {
        run(geometry.keyValueHeads() * runs, prompt.isSharedBetweenThreads() ? mostAtWork() : 1);
    }

    @Override
    void takePart() {
        Workspace workspace = workspaces.acquire();
        for (int item = claim(); item != NONE; item = claim()) {
            int head = item / runs;
            int firstTile = item % runs * RUN_TILES;
            int endTile = Math.min(firstTile + RUN_TILES, Math.ceilDiv(tokens, TILE_TOKENS));
            for (int tile = firstTile; tile < endTile; tile++) {
                pack(workspace, head, tile);
            }
        }
        workspaces.release(workspace);
    }

    private void pack(Workspace workspace, int head, int tile) {
        int first = tile * TILE_TOKENS;
        int count = Math.min(TILE_TOKENS, tokens - first);
        prompt.copy(head, first, count, workspace);
        repeat(workspace.keys(), count * prompt.headDim());
        repeat(workspace.values(), count * prompt.headDim());
        AttentionKernels kernels = workspace.kernels();
        long offset = geometry.packedTile(head, tile);
        kernels.packKeys(head, workspace.keys(), scales, memory, offset);
        kernels.packValues(workspace.values(), memory, offset);
    }

    /**
     * Repeats a tile's first numbers until it is full. What is kept of its tokens is about what they alone would keep:
     * unless their number divides 64, the first ones count once more than the others.
     */
    private static void repeat(float[] tile, int count) {
        for (int i = count; i < tile.length; i++) {
            tile[i] = tile[i - count];
        }
    }
}
