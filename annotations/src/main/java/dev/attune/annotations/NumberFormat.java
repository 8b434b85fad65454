package dev.attune.annotations;

/** How kept entries, amplitudes and dense tokens are stored. */
public enum NumberFormat {

    /** IEEE 754 binary32: 4 bytes. */
    FLOAT32(4),

    /** The upper half of a binary32, rounded to nearest even: 2 bytes. */
    BFLOAT16(2);

    private final int bytes;

    NumberFormat(int bytes) {
        this.bytes = bytes;
    }

    /** Returns the size of one stored number in bytes. */
    public int bytes() {
        return bytes;
    }
}
