package dev.attune.processor.plan;

import dev.attune.annotations.Restoration;
import dev.attune.processor.model.PruningModel;

/**
 * The bytes of a tile's packed values: one block of 64 tokens with channels in lanes. Kept entries are stored per group
 * of 32 channels, slot-major; channels are padded to whole groups. Of 4-bit residuals two consecutive slots share a row
 * of bytes.
 *
 * @param kept kept tokens per channel, {@code K}
 * @param numberBytes bytes of one stored number, residuals aside
 * @param residualBits bits of one residual
 * @param channels the head dimension rounded up to a multiple of 32
 * @param signed whether signs and amplitudes are stored
 * @param quantised whether residuals are integers under a scale, which is then stored
 * @param residuals offset of {@code [channels / 32][K][32]} residuals within the values
 * @param signs offset of {@code [4][channels]} 16-bit words
 * @param amplitudes offset of {@code [channels]} numbers
 * @param residualScales offset of {@code [channels]} numbers
 * @param indices offset of {@code [channels / 32][K][32]} token indices of one byte
 * @param bytes bytes of the tile's packed values
 */
public record ValueLayout(
        int kept,
        int numberBytes,
        int residualBits,
        int channels,
        boolean signed,
        boolean quantised,
        int residuals,
        int signs,
        int amplitudes,
        int residualScales,
        int indices,
        int bytes) {

    static ValueLayout of(PruningModel values, int headDim) {
        int kept = values.kept(TileLayout.TILE_TOKENS);
        int numberBytes = TileLayout.bytes(values.plainFormat());
        int residualBits = values.format().bits();
        int channels = TileLayout.paddedChannels(headDim);
        boolean signed = values.restoration() == Restoration.SIGN;
        boolean quantised = values.format().quantised();
        int signs = channels * TileLayout.residualBytes(kept, residualBits);
        int amplitudes = signs + (signed ? TileLayout.TILE_TOKENS / 16 * channels * Short.BYTES : 0);
        int residualScales = amplitudes + (signed ? channels * numberBytes : 0);
        int indices = residualScales + (quantised ? channels * numberBytes : 0);
        return new ValueLayout(
                kept,
                numberBytes,
                residualBits,
                channels,
                signed,
                quantised,
                0,
                signs,
                amplitudes,
                residualScales,
                indices,
                indices + kept * channels);
    }
}
