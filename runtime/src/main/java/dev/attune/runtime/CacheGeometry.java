package dev.attune.runtime;

import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;

/**
 * Where everything lies in a cache's one segment, and how much fits. All offsets are bytes from its start.
 *
 * <pre>
 * [keyValueHeads][headDim]              channel scales, float32 little-endian, padded to a multiple of 64 bytes
 * [keyValueHeads][packedTiles]          packed tiles
 * [keyValueHeads][denseTiles]           dense tiles: the newest tokens, around in a ring
 * </pre>
 *
 * @param keyValueHeads number of key-value heads
 * @param headDim channels of one head
 * @param tileBytes bytes of one packed tile, a multiple of 64
 * @param denseTileBytes bytes of one dense tile, a multiple of 64
 * @param capacity tokens the cache was asked to hold in all
 * @param promptCapacity how many of them may be a prompt
 * @param packedTiles room for packed tiles per head
 * @param denseTiles room for dense tiles per head
 */
record CacheGeometry(
        int keyValueHeads,
        int headDim,
        int tileBytes,
        int denseTileBytes,
        int capacity,
        int promptCapacity,
        int packedTiles,
        int denseTiles) {

    /** Tokens of a tile, packed or dense. */
    static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    /** Alignment of the segment and of every tile: a cache line, and the widest vector. */
    static final int ALIGNMENT = 64;

    CacheGeometry {
        if (tileBytes <= 0 || tileBytes % ALIGNMENT != 0 || denseTileBytes <= 0 || denseTileBytes % ALIGNMENT != 0) {
            throw new IllegalArgumentException("tiles of " + tileBytes + " and " + denseTileBytes
                    + " bytes: both sizes must be positive multiples of " + ALIGNMENT);
        }
    }

    /** Returns room for so many tokens however prompt and generated tokens share it. */
    static CacheGeometry of(LayerShape shape, CacheLayout layout, int tokens) {
        requirePositive(tokens);
        // One tile fills while the heads of another are packed. Without packing of generated tokens all tokens may come
        // one by one, and stay dense.
        int dense = shape.packGenerated() ? Math.min(tokens, 2 * TILE_TOKENS) : tokens;
        return of(shape, layout, tokens, tokens, dense);
    }

    /** Returns room for a prompt of up to so many tokens, followed by up to so many generated ones. */
    static CacheGeometry of(LayerShape shape, CacheLayout layout, int promptTokens, int generatedTokens) {
        if (promptTokens < 0 || generatedTokens < 0) {
            throw new IllegalArgumentException("room for " + promptTokens + " prompt and " + generatedTokens
                    + " generated tokens: neither can be negative");
        }
        long tokens = (long) promptTokens + generatedTokens;
        if (tokens > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("room for " + tokens + " tokens: at most " + Integer.MAX_VALUE);
        }
        requirePositive((int) tokens);
        if (shape.packGenerated()) {
            return of(shape, layout, (int) tokens);
        }
        return of(shape, layout, (int) tokens, promptTokens, generatedTokens);
    }

    private static CacheGeometry of(LayerShape shape, CacheLayout layout, int capacity, int packed, int dense) {
        return new CacheGeometry(
                shape.keyValueHeads(),
                shape.headDim(),
                layout.tileBytes(),
                layout.denseTileBytes(),
                capacity,
                packed,
                // A prompt that is packed whole may end in a partial tile.
                shape.packGenerated() ? packed / TILE_TOKENS : Math.ceilDiv(packed, TILE_TOKENS),
                Math.max(1, Math.ceilDiv(dense, TILE_TOKENS)));
    }

    private static void requirePositive(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("room for " + tokens + " tokens: a cache holds at least 1");
        }
    }

    /** Returns the bytes of the scales without padding. */
    long scaleBytes() {
        return (long) keyValueHeads * headDim * Float.BYTES;
    }

    /** Returns the offset of a head's packed tile. */
    long packedTile(int head, int tile) {
        return packedStart() + ((long) head * packedTiles + tile) * tileBytes;
    }

    /** Returns the offset of a head's dense tile. */
    long denseTile(int head, int tile) {
        return denseStart() + ((long) head * denseTiles + tile) * denseTileBytes;
    }

    /** Returns the size of the segment. */
    long bytes() {
        return denseStart() + (long) keyValueHeads * denseTiles * denseTileBytes;
    }

    /** Returns how many tokens fit the dense tiles. */
    long denseTokens() {
        return (long) denseTiles * TILE_TOKENS;
    }

    private long packedStart() {
        return Math.ceilDiv(scaleBytes(), (long) ALIGNMENT) * ALIGNMENT;
    }

    private long denseStart() {
        return packedStart() + (long) keyValueHeads * packedTiles * tileBytes;
    }

    /**
     * Checks that a prompt fits an empty cache.
     *
     * @throws IllegalStateException if it does not
     */
    void requireRoomForPrompt(int tokens) {
        if (tokens > capacity) {
            throw new IllegalStateException("a prompt of " + tokens + " tokens does not fit a cache of " + capacity
                    + " tokens; create it with newCache(" + tokens + ") or more");
        }
        if (tokens > promptCapacity) {
            throw new IllegalStateException("a prompt of " + tokens + " tokens does not fit: this cache of " + capacity
                    + " tokens has room for a prompt of " + promptCapacity + "; create it with newCache(" + tokens
                    + ", generatedTokens)");
        }
    }

    /**
     * Checks that one more token fits.
     *
     * @param tokens tokens in the cache
     * @param tail how many of them are in the dense tail
     * @throws IllegalStateException if it does not
     */
    void requireRoomForOneMore(int tokens, int tail) {
        if (tokens >= capacity) {
            throw new IllegalStateException("token " + (tokens + 1L) + " does not fit a cache of " + capacity
                    + " tokens; create it with newCache(" + (tokens + 1L) + ") or more, or clear() it");
        }
        if (tail >= denseTokens()) {
            throw new IllegalStateException("token " + (tokens + 1L) + " does not fit: this cache of " + capacity
                    + " tokens keeps at most " + denseTokens() + " of them dense; create it with"
                    + " newCache(promptTokens, generatedTokens) for more generated tokens, or clear() it");
        }
    }
}
