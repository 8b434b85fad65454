package dev.attune.runtime.spi;

import java.util.List;

/**
 * The sizes of a packed cache's tiles. A tile holds 64 consecutive tokens of one key-value head, packed or dense;
 * {@code docs/packed-format.md} describes the bytes inside.
 *
 * @param version the version of the format
 * @param tileBytes bytes of one packed tile, a multiple of 64
 * @param denseTileBytes bytes of one dense tile (keys and values of the newest tokens), a multiple of 64
 * @param parts the parts of a packed tile; their bytes add up to {@code tileBytes}
 */
public record CacheLayout(int version, int tileBytes, int denseTileBytes, List<Part> parts) {

    /** Tokens of a tile. */
    public static final int TILE_TOKENS = 64;

    /** Copies the list of parts. */
    public CacheLayout {
        parts = List.copyOf(parts);
        int sum = parts.stream().mapToInt(Part::bytes).sum();
        if (sum != tileBytes) {
            throw new IllegalArgumentException(
                    "the parts of a tile add up to " + sum + " bytes, not to its " + tileBytes);
        }
    }

    /**
     * One part of a packed tile.
     *
     * @param name for example {@code "key residuals"}
     * @param bytes its size within one tile
     */
    public record Part(String name, int bytes) {}
}
