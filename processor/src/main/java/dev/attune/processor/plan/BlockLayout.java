package dev.attune.processor.plan;

import dev.attune.annotations.Restoration;
import dev.attune.processor.model.PruningModel;

/**
 * The bytes of a block of packed keys or values. A block has 32 lanes: 32 tokens of the keys, or 32 channels of the
 * values; what neighbouring lanes keep in the same slot lies side by side, so that one vector load brings it. All is
 * laid out in the order in which it is read, since memory serves a sequential stream best.
 *
 * <p>The kept entries of a block are its slots and, for integers, the scales of their residuals. A slot is
 * {@code [32]} residuals and {@code [32]} indices; 4-bit residuals of two consecutive slots share bytes, and such a
 * pair is {@code [32]} bytes of residuals and {@code [2][32]} indices. The signs of a block are {@code [words][32]}
 * words of 16 bits and {@code [32]} amplitudes; they follow the kept entries of all blocks.
 *
 * @param kept slots, the entries each lane keeps
 * @param numberBytes bytes of one stored number, residuals aside
 * @param residualBits bits of one residual
 * @param indexBytes bytes of one index
 * @param signWords 16-bit words of signs per lane, 0 if signs are not stored
 * @param quantised whether residuals are integers under a scale, which is then stored
 */
public record BlockLayout(
        int kept, int numberBytes, int residualBits, int indexBytes, int signWords, boolean quantised) {

    /** Lanes of a block. */
    public static final int LANES = 32;

    static BlockLayout of(PruningModel pruning, int entries) {
        return new BlockLayout(
                pruning.kept(entries),
                TileLayout.bytes(pruning.plainFormat()),
                pruning.format().bits(),
                entries <= 256 ? Byte.BYTES : Short.BYTES,
                pruning.restoration() == Restoration.SIGN ? entries / Short.SIZE : 0,
                pruning.format().quantised());
    }

    /** Returns whether signs and amplitudes are stored. */
    public boolean signed() {
        return signWords > 0;
    }

    /** Returns how many consecutive slots share bytes of residuals: 2 of four bits, else 1. */
    public int slotsPerRow() {
        return residualBits < Byte.SIZE ? Byte.SIZE / residualBits : 1;
    }

    /** Returns the offset of the indices within a slot, or within slots that share bytes. */
    public int indices() {
        return LANES * residualBits * slotsPerRow() / Byte.SIZE;
    }

    /** Returns the bytes of a slot, or of slots that share bytes. */
    public int slotBytes() {
        return indices() + slotsPerRow() * LANES * indexBytes;
    }

    /** Returns the bytes of all residuals of a block. */
    public int residualBytes() {
        return (kept + slotsPerRow() - 1) / slotsPerRow() * indices();
    }

    /** Returns the bytes of all indices of a block. */
    public int indexBytesOfBlock() {
        return kept * LANES * indexBytes;
    }

    /** Returns the offset of the scales of the residuals: behind the slots, of which the last pair may be half. */
    public int residualScales() {
        return residualBytes() + indexBytesOfBlock();
    }

    /** Returns the bytes of those scales. */
    public int residualScaleBytes() {
        return quantised ? LANES * numberBytes : 0;
    }

    /** Returns the bytes of a block's kept entries. */
    public int keptBytes() {
        return residualScales() + residualScaleBytes();
    }

    /** Returns the bytes of a block's sign words, which is the offset of its amplitudes behind them. */
    public int signWordBytes() {
        return signWords * LANES * Short.BYTES;
    }

    /** Returns the bytes of a block's amplitudes. */
    public int amplitudeBytes() {
        return signed() ? LANES * numberBytes : 0;
    }

    /** Returns the bytes of a block's sign words and amplitudes. */
    public int signBytes() {
        return signWordBytes() + amplitudeBytes();
    }
}
