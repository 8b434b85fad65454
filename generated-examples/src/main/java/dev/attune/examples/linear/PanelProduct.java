package dev.attune.examples.linear;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The register-blocked kernel of every matrix product: some rows times one 64-column panel.
 *
 * <p>Six rows by two vectors are accumulated in registers: twelve independent multiply-adds hide the latency of one,
 * and with two vectors of the panel and one broadcast they fit the sixteen registers of AVX2. The loop is flat, without
 * a method that takes or returns a vector, because C2 may refuse to inline one here and would then box every vector.
 */
public final class PanelProduct {

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final int PANEL = PanelMatrix.PANEL;

    /** Rows that are computed together. */
    public static final int ROWS = 6;

    private PanelProduct() {}

    /**
     * Adds a product to a block of {@code c}: {@code c[row][0..63] += sum over k of a[row][k] * b[k][0..63]}.
     *
     * @param a left-hand side, {@code rows} rows of {@code depth} elements, {@code aStride} apart
     * @param b the panel, {@code [depth][64]} from {@code bOffset} on
     * @param c the sums, {@code rows} rows of 64 elements, {@code cStride} apart
     */
    public static void multiplyAdd(
            float[] a, int aOffset, int aStride, int rows,
            float[] b, int bOffset, int depth,
            float[] c, int cOffset, int cStride) {
        int last = rows - 1;
        for (int row = 0; row < rows; row += ROWS) {
            // Rows past the end repeat the last one: all sums are loaded before any is stored, so it is written with
            // the same numbers several times.
            int row1 = Math.min(row + 1, last);
            int row2 = Math.min(row + 2, last);
            int row3 = Math.min(row + 3, last);
            int row4 = Math.min(row + 4, last);
            int row5 = Math.min(row + 5, last);
            int a0 = aOffset + row * aStride;
            int a1 = aOffset + row1 * aStride;
            int a2 = aOffset + row2 * aStride;
            int a3 = aOffset + row3 * aStride;
            int a4 = aOffset + row4 * aStride;
            int a5 = aOffset + row5 * aStride;
            for (int column = 0; column < PANEL; column += 2 * LANES) {
                int c0 = cOffset + row * cStride + column;
                int c1 = cOffset + row1 * cStride + column;
                int c2 = cOffset + row2 * cStride + column;
                int c3 = cOffset + row3 * cStride + column;
                int c4 = cOffset + row4 * cStride + column;
                int c5 = cOffset + row5 * cStride + column;
                FloatVector sum00 = FloatVector.fromArray(SPECIES, c, c0);
                FloatVector sum01 = FloatVector.fromArray(SPECIES, c, c0 + LANES);
                FloatVector sum10 = FloatVector.fromArray(SPECIES, c, c1);
                FloatVector sum11 = FloatVector.fromArray(SPECIES, c, c1 + LANES);
                FloatVector sum20 = FloatVector.fromArray(SPECIES, c, c2);
                FloatVector sum21 = FloatVector.fromArray(SPECIES, c, c2 + LANES);
                FloatVector sum30 = FloatVector.fromArray(SPECIES, c, c3);
                FloatVector sum31 = FloatVector.fromArray(SPECIES, c, c3 + LANES);
                FloatVector sum40 = FloatVector.fromArray(SPECIES, c, c4);
                FloatVector sum41 = FloatVector.fromArray(SPECIES, c, c4 + LANES);
                FloatVector sum50 = FloatVector.fromArray(SPECIES, c, c5);
                FloatVector sum51 = FloatVector.fromArray(SPECIES, c, c5 + LANES);
                int panel = bOffset + column;
                for (int k = 0; k < depth; k++) {
                    FloatVector b0 = FloatVector.fromArray(SPECIES, b, panel + k * PANEL);
                    FloatVector b1 = FloatVector.fromArray(SPECIES, b, panel + k * PANEL + LANES);
                    FloatVector element = FloatVector.broadcast(SPECIES, a[a0 + k]);
                    sum00 = element.fma(b0, sum00);
                    sum01 = element.fma(b1, sum01);
                    element = FloatVector.broadcast(SPECIES, a[a1 + k]);
                    sum10 = element.fma(b0, sum10);
                    sum11 = element.fma(b1, sum11);
                    element = FloatVector.broadcast(SPECIES, a[a2 + k]);
                    sum20 = element.fma(b0, sum20);
                    sum21 = element.fma(b1, sum21);
                    element = FloatVector.broadcast(SPECIES, a[a3 + k]);
                    sum30 = element.fma(b0, sum30);
                    sum31 = element.fma(b1, sum31);
                    element = FloatVector.broadcast(SPECIES, a[a4 + k]);
                    sum40 = element.fma(b0, sum40);
                    sum41 = element.fma(b1, sum41);
                    element = FloatVector.broadcast(SPECIES, a[a5 + k]);
                    sum50 = element.fma(b0, sum50);
                    sum51 = element.fma(b1, sum51);
                }
                sum00.intoArray(c, c0);
                sum01.intoArray(c, c0 + LANES);
                sum10.intoArray(c, c1);
                sum11.intoArray(c, c1 + LANES);
                sum20.intoArray(c, c2);
                sum21.intoArray(c, c2 + LANES);
                sum30.intoArray(c, c3);
                sum31.intoArray(c, c3 + LANES);
                sum40.intoArray(c, c4);
                sum41.intoArray(c, c4 + LANES);
                sum50.intoArray(c, c5);
                sum51.intoArray(c, c5 + LANES);
            }
        }
    }
}
