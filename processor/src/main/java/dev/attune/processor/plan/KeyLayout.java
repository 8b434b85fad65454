package dev.attune.processor.plan;

import dev.attune.annotations.Centering;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.PruningModel;

/**
 * The bytes of a tile's packed keys: the channel means, then two blocks of 32 tokens. Within a block everything is
 * slot-major with tokens in lanes, so that one vector load brings the same slot of neighbouring tokens. Of 4-bit
 * residuals two consecutive slots share a row of bytes.
 *
 * @param kept kept channels per token, {@code T}
 * @param numberBytes bytes of one stored number, residuals aside
 * @param residualBits bits of one residual
 * @param indexBytes bytes of one channel index: 1 up to 256 channels, else 2
 * @param centred whether the means are stored, one per channel, padded to a multiple of 32
 * @param signed whether signs and amplitudes are stored
 * @param quantised whether residuals are integers under a scale, which is then stored
 * @param blocks offset of the first block within the tile
 * @param residuals offset of {@code [T][32]} residuals within a block
 * @param signs offset of {@code [d / 16][32]} 16-bit words within a block
 * @param amplitudes offset of {@code [32]} numbers within a block
 * @param residualScales offset of {@code [32]} numbers within a block
 * @param indices offset of {@code [T][32]} channel indices within a block
 * @param blockBytes bytes of one block
 */
public record KeyLayout(
        int kept,
        int numberBytes,
        int residualBits,
        int indexBytes,
        boolean centred,
        boolean signed,
        boolean quantised,
        int blocks,
        int residuals,
        int signs,
        int amplitudes,
        int residualScales,
        int indices,
        int blockBytes) {

    static KeyLayout of(PruningModel keys, int headDim) {
        int kept = keys.kept(headDim);
        int numberBytes = TileLayout.bytes(keys.plainFormat());
        int residualBits = keys.format().bits();
        int indexBytes = headDim <= 256 ? 1 : 2;
        boolean centred = keys.centering() == Centering.TILE;
        boolean signed = keys.restoration() == Restoration.SIGN;
        boolean quantised = keys.format().quantised();
        int blocks = centred ? TileLayout.paddedChannels(headDim) * numberBytes : 0;
        int signs = TileLayout.BLOCK_TOKENS * TileLayout.residualBytes(kept, residualBits);
        int amplitudes = signs + (signed ? headDim / 16 * TileLayout.BLOCK_TOKENS * Short.BYTES : 0);
        int residualScales = amplitudes + (signed ? TileLayout.BLOCK_TOKENS * numberBytes : 0);
        int indices = residualScales + (quantised ? TileLayout.BLOCK_TOKENS * numberBytes : 0);
        int blockBytes = indices + kept * TileLayout.BLOCK_TOKENS * indexBytes;
        return new KeyLayout(
                kept,
                numberBytes,
                residualBits,
                indexBytes,
                centred,
                signed,
                quantised,
                blocks,
                0,
                signs,
                amplitudes,
                residualScales,
                indices,
                blockBytes);
    }

    /** Returns the bytes of the tile's packed keys. */
    public int bytes() {
        return blocks + TileLayout.BLOCKS * blockBytes;
    }
}
