package dev.attune.processor.plan;

import dev.attune.processor.model.PruningModel;

/**
 * The bytes of a tile's packed values: the kept entries of all blocks of 32 channels, then the signs of all blocks.
 * Channels are padded to whole blocks.
 *
 * @param block the bytes of one block
 * @param blocks number of blocks
 */
public record ValueLayout(BlockLayout block, int blocks) {

    static ValueLayout of(PruningModel values, int headDim) {
        return new ValueLayout(
                BlockLayout.of(values, TileLayout.TILE_TOKENS),
                TileLayout.paddedChannels(headDim) / BlockLayout.LANES);
    }

    /** Returns the offset of the first block's signs. */
    public int signs() {
        return blocks * block.keptBytes();
    }

    /** Returns the bytes of the tile's packed values. */
    public int bytes() {
        return signs() + blocks * block.signBytes();
    }
}
