package dev.attune.processor.plan;

import dev.attune.annotations.Centering;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.PruningModel;

/**
 * The bytes of a tile's packed keys: the channel means, then two blocks of 32 tokens. Within a block everything is
 * slot-major with tokens in lanes, so that one vector load brings the same slot of neighbouring tokens.
 *
 * @param kept kept channels per token, {@code T}
 * @param numberBytes bytes of one stored number
 * @param indexBytes bytes of one channel index: 1 up to 256 channels, else 2
 * @param centred whether the means are stored, one per channel, padded to a multiple of 32
 * @param signed whether signs and amplitudes are stored
 * @param blocks offset of the first block within the tile
 * @param residuals offset of {@code [T][32]} numbers within a block
 * @param signs offset of {@code [d / 16][32]} 16-bit words within a block
 * @param amplitudes offset of {@code [32]} numbers within a block
 * @param indices offset of {@code [T][32]} channel indices within a block
 * @param blockBytes bytes of one block
 */
public record KeyLayout(
        int kept,
        int numberBytes,
        int indexBytes,
        boolean centred,
        boolean signed,
        int blocks,
        int residuals,
        int signs,
        int amplitudes,
        int indices,
        int blockBytes) {

    static KeyLayout of(PruningModel keys, int headDim) {
        int kept = keys.kept(headDim);
        int numberBytes = keys.format().bytes();
        int indexBytes = headDim <= 256 ? 1 : 2;
        boolean centred = keys.centering() == Centering.TILE;
        boolean signed = keys.restoration() == Restoration.SIGN;
        int blocks = centred ? TileLayout.paddedChannels(headDim) * numberBytes : 0;
        int signs = kept * TileLayout.BLOCK_TOKENS * numberBytes;
        int amplitudes = signs + (signed ? headDim / 16 * TileLayout.BLOCK_TOKENS * Short.BYTES : 0);
        int indices = amplitudes + (signed ? TileLayout.BLOCK_TOKENS * numberBytes : 0);
        int blockBytes = indices + kept * TileLayout.BLOCK_TOKENS * indexBytes;
        return new KeyLayout(
                kept, numberBytes, indexBytes, centred, signed, blocks, 0, signs, amplitudes, indices, blockBytes);
    }

    /** Returns the bytes of the tile's packed keys. */
    public int bytes() {
        return blocks + TileLayout.BLOCKS * blockBytes;
    }
}
