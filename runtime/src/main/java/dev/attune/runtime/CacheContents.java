package dev.attune.runtime;

import dev.attune.runtime.spi.CacheLayout;

/**
 * What a cache's memory means. Writers fill bytes that no token occupies yet and replace this record last, so that a
 * write that fails half-way has changed nothing.
 *
 * <p>The dense tiles are a ring: the tokens of the oldest are packed one head after the other, call by call, while new
 * tokens enter the next. Until the last head is packed, readers use the dense tile of all heads.
 *
 * @param scales channel scales {@code [keyValueHeads][headDim]}, never modified; a copy is in the segment
 * @param packedTokens tokens in the packed tiles of every head; all but the last tile are full
 * @param denseTokens tokens in the dense tiles of every head; all but the last tile are full
 * @param oldestDenseTile which of a head's dense tiles holds the oldest dense tokens; the others follow in the ring
 * @param headsPacked of how many heads the oldest dense tile is packed already, into the tile after the packed ones
 */
record CacheContents(float[] scales, int packedTokens, int denseTokens, int oldestDenseTile, int headsPacked) {

    /** Returns what a prompt leaves: packed tokens, and the rest in the first dense tiles. */
    static CacheContents of(float[] scales, int packedTokens, int denseTokens) {
        return new CacheContents(scales, packedTokens, denseTokens, 0, 0);
    }

    int tokens() {
        return packedTokens + denseTokens;
    }

    int packedTiles() {
        return Math.ceilDiv(packedTokens, CacheLayout.TILE_TOKENS);
    }

    int denseTiles() {
        return Math.ceilDiv(denseTokens, CacheLayout.TILE_TOKENS);
    }

    int tiles() {
        return packedTiles() + denseTiles();
    }

    boolean hasFullDenseTile() {
        return denseTokens >= CacheLayout.TILE_TOKENS;
    }

    CacheContents withOneMoreToken() {
        return new CacheContents(scales, packedTokens, denseTokens + 1, oldestDenseTile, headsPacked);
    }

    CacheContents withHeadsPacked(int heads) {
        return new CacheContents(scales, packedTokens, denseTokens, oldestDenseTile, heads);
    }

    /** Returns the contents once the oldest dense tile of every head is packed. */
    CacheContents withOldestTilePacked(int nextDenseTile) {
        return new CacheContents(
                scales,
                packedTokens + CacheLayout.TILE_TOKENS,
                denseTokens - CacheLayout.TILE_TOKENS,
                nextDenseTile,
                0);
    }
}
