package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Writes a cache's tokens. Every method fills bytes that no token occupies yet and returns the contents that count them
 * in; until those are published nothing has changed, so a write may fail anywhere. One thread at a time.
 */
final class CacheWriter {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    private final LayerShape shape;
    private final CacheGeometry geometry;
    private final MemorySegment memory;
    private final SharedResources resources;

    /**
     * How many heads of a full dense tile one append packs. That many are sure to be done before the next tile is full:
     * two dense tiles suffice, and no append takes longer than it takes to pack one tile of each of these heads.
     */
    private final int headsPerAppend;

    CacheWriter(LayerShape shape, CacheGeometry geometry, MemorySegment memory, SharedResources resources) {
        this.shape = shape;
        this.geometry = geometry;
        this.memory = memory;
        this.resources = resources;
        this.headsPerAppend = Math.ceilDiv(shape.keyValueHeads(), TILE_TOKENS);
    }

    /** Returns the contents of an empty cache. */
    CacheContents nothing() {
        return CacheContents.of(unitScales(), 0, 0);
    }

    /**
     * Stores a checked prompt in an empty cache.
     *
     * @param keys {@code [keyValueHeads][tokens][headDim]}
     * @param values {@code [keyValueHeads][tokens][headDim]}
     * @param windowQueries {@code [queryHeads][positions][headDim]}
     */
    CacheContents prompt(
            MemorySegment keys, MemorySegment values, int tokens, float[] windowQueries, int positions) {
        // Where generated tokens are packed, the newest wait for a tile to fill; otherwise the prompt is packed whole.
        int packed = shape.packGenerated() ? tokens / TILE_TOKENS * TILE_TOKENS : tokens;
        var prompt = new Prompt(keys, values, tokens, shape.headDim());
        Workspace workspace = resources.workspaces().acquire();
        float[] scales = unitScales();
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            if (positions > 0) {
                workspace.kernels().scoreChannels(head, windowQueries, positions, scales);
            }
            prompt.copy(head, packed, tokens - packed, workspace);
            for (int token = 0; token < tokens - packed; token++) {
                storeDense(workspace, workspace.keys(), workspace.values(), token, head, token);
            }
        }
        resources.workspaces().release(workspace);
        new PromptPacking(resources, geometry, memory, prompt, scales, packed).run();
        return CacheContents.of(scales, packed, tokens - packed);
    }

    /**
     * Stores one checked token in the dense tail and, if generated tokens are packed, the next heads of a full tile.
     *
     * @param key {@code [keyValueHeads][headDim]}
     * @param value {@code [keyValueHeads][headDim]}
     */
    CacheContents token(CacheContents before, float[] key, float[] value) {
        Workspace workspace = resources.workspaces().acquire();
        int place = before.oldestDenseTile() * TILE_TOKENS + before.denseTokens();
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            storeDense(workspace, key, value, head, head, place);
        }
        CacheContents after = before.withOneMoreToken();
        if (shape.packGenerated() && after.hasFullDenseTile()) {
            after = packSomeHeads(workspace, after);
        }
        resources.workspaces().release(workspace);
        return after;
    }

    /**
     * Stores one token of one head.
     *
     * @param row index of the token's numbers among the rows of {@code keys} and {@code values}
     * @param place index among the places of the head's ring of dense tiles, around once more if it is beyond its end
     */
    private void storeDense(Workspace workspace, float[] keys, float[] values, int row, int head, int place) {
        long tile = geometry.denseTile(head, place / TILE_TOKENS % geometry.denseTiles());
        workspace.kernels().storeDense(keys, values, row * shape.headDim(), memory, tile, place % TILE_TOKENS);
    }

    private CacheContents packSomeHeads(Workspace workspace, CacheContents before) {
        int end = Math.min(before.headsPacked() + headsPerAppend, shape.keyValueHeads());
        AttentionKernels kernels = workspace.kernels();
        for (int head = before.headsPacked(); head < end; head++) {
            long dense = geometry.denseTile(head, before.oldestDenseTile());
            kernels.loadDense(memory, dense, workspace.keys(), workspace.values());
            long packed = geometry.packedTile(head, before.packedTiles());
            kernels.packKeys(head, workspace.keys(), before.scales(), memory, packed);
            kernels.packValues(workspace.values(), memory, packed);
        }
        return end < shape.keyValueHeads()
                ? before.withHeadsPacked(end)
                : before.withOldestTilePacked((before.oldestDenseTile() + 1) % geometry.denseTiles());
    }

    private float[] unitScales() {
        float[] scales = new float[shape.keyValueHeads() * shape.headDim()];
        Arrays.fill(scales, 1);
        return scales;
    }
}
