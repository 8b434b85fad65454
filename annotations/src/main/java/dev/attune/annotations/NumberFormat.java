package dev.attune.annotations;

/**
 * How kept entries are stored, and with them everything else of their side that is a number: amplitudes, means and
 * dense tokens. {@link #INT8} and {@link #INT4} store kept entries alone; what else there is, is then
 * {@link #BFLOAT16}.
 */
public enum NumberFormat {

    /** IEEE 754 binary32: 4 bytes. */
    FLOAT32(32),

    /** The upper half of a binary32, rounded to nearest even: 2 bytes, 8 significant bits, the range of a binary32. */
    BFLOAT16(16),

    /**
     * IEEE 754 binary16, rounded to nearest even: 2 bytes, 11 significant bits. What exceeds 65504 in magnitude is
     * stored as 65504 with its sign: choose {@link #BFLOAT16} if keys, or keys times their channel scales, may be so
     * large.
     */
    FLOAT16(16),

    /**
     * Integers from -127 to 127 under one scale per token (keys) or per channel and tile (values): 1 byte. For a side
     * that is pruned.
     */
    INT8(8),

    /** Integers from -7 to 7 under one scale, as {@link #INT8}: half a byte. For a side that is pruned. */
    INT4(4);

    private final int bits;

    NumberFormat(int bits) {
        this.bits = bits;
    }

    /** Returns the size of one kept entry in bits. */
    public int bits() {
        return bits;
    }

    /** Returns whether kept entries are integers under a scale. */
    public boolean quantised() {
        return this == INT8 || this == INT4;
    }
}
