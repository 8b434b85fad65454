package dev.attune.processor.plan;

import dev.attune.annotations.Centering;
import dev.attune.processor.model.PruningModel;

/**
 * The bytes of a tile's packed keys: the channel means, the kept entries of two blocks of 32 tokens, the signs of both.
 *
 * @param block the bytes of one block
 * @param centred whether the means are stored, one per channel, padded to a multiple of 32
 * @param blocks offset of the first block's kept entries, which is the bytes of the means
 */
public record KeyLayout(BlockLayout block, boolean centred, int blocks) {

    static KeyLayout of(PruningModel keys, int headDim) {
        BlockLayout block = BlockLayout.of(keys, headDim);
        boolean centred = keys.centering() == Centering.TILE;
        return new KeyLayout(block, centred, centred ? TileLayout.paddedChannels(headDim) * block.numberBytes() : 0);
    }

    /** Returns the offset of the first block's signs. */
    public int signs() {
        return blocks + TileLayout.BLOCKS * block.keptBytes();
    }

    /** Returns the bytes of the tile's packed keys. */
    public int bytes() {
        return signs() + TileLayout.BLOCKS * block.signBytes();
    }
}
