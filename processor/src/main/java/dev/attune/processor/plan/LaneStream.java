package dev.attune.processor.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that 32 work-items (lanes) read of a part of a tile, the same count each, ordered for wide loads: the
 * bytes of all lanes are interleaved in rows of 16 bytes a lane while that many are left, then in one row of 8 and one
 * of 4. What a lane's bytes lack to a multiple of 4 is zero.
 *
 * @param elements elements of a lane
 * @param elementBytes bytes of one
 */
public record LaneStream(int elements, int elementBytes) {

    /** Lanes of a stream: a warp of the devices that have warps. */
    public static final int LANES = 32;

    /**
     * Rows of equal width that follow one another.
     *
     * @param start first byte of a lane in the first row
     * @param width bytes of a lane in a row: 16, 8 or 4
     * @param count how many there are
     */
    public record Rows(int start, int width, int count) {

        /** Returns the byte after the last. */
        public int end() {
            return start + width * count;
        }
    }

    /** Returns the bytes of one lane. */
    public int laneBytes() {
        return (elements * elementBytes + 3) / 4 * 4;
    }

    /** Returns the bytes of all lanes. */
    public int bytes() {
        return LANES * laneBytes();
    }

    /** Returns the rows from the widest to the narrowest; only the first may be more than one. */
    public List<Rows> rows() {
        List<Rows> rows = new ArrayList<>();
        int start = 0;
        for (int width = 16; width >= 4; width /= 2) {
            int count = (laneBytes() - start) / width;
            if (count > 0) {
                rows.add(new Rows(start, width, count));
                start += width * count;
            }
        }
        return rows;
    }
}
