package dev.attune.examples.linear;

import java.util.Arrays;

/** Products of row-major matrices with panel matrices, multi-threaded. */
public final class MatrixProduct {

    private static final int PANEL = PanelMatrix.PANEL;

    /** Rows of one task: their left-hand sides stay in the second-level cache while panels stream past. */
    private static final int TASK_ROWS = 16 * PanelProduct.ROWS;

    private MatrixProduct() {}

    /**
     * Computes {@code c = a b}.
     *
     * @param a {@code [rows][aStride]}, of which the first {@code b.depth()} columns are used
     * @param c {@code [rows][b.columns()]}, overwritten
     */
    public static void multiply(float[] a, int aStride, int rows, PanelMatrix b, float[] c) {
        product(a, 0, aStride, rows, b, c, false);
    }

    /** Computes {@code c = a b} for {@code rows} rows of {@code a} from element {@code aOffset} on. */
    public static void multiply(float[] a, int aOffset, int aStride, int rows, PanelMatrix b, float[] c) {
        product(a, aOffset, aStride, rows, b, c, false);
    }

    /** Computes {@code c += a b}, shapes as in {@link #multiply(float[], int, int, PanelMatrix, float[])}. */
    public static void multiplyAdd(float[] a, int aStride, int rows, PanelMatrix b, float[] c) {
        product(a, 0, aStride, rows, b, c, true);
    }

    private static void product(
            float[] a, int aOffset, int aStride, int rows, PanelMatrix b, float[] c, boolean add) {
        int panels = b.panels();
        int blocks = (rows + TASK_ROWS - 1) / TASK_ROWS;
        ParallelTasks.run(blocks * panels, task -> {
            int first = task / panels * TASK_ROWS;
            int count = Math.min(TASK_ROWS, rows - first);
            block(a, aOffset + first * aStride, aStride, count, b, task % panels, c, first * b.columns(), add);
        });
    }

    private static void block(
            float[] a, int aOffset, int aStride, int rows, PanelMatrix b, int panel, float[] c, int cRow, boolean add) {
        int columns = b.columns();
        int firstColumn = panel * PANEL;
        int width = Math.min(PANEL, columns - firstColumn);
        int cOffset = cRow + firstColumn;
        if (!add) {
            for (int row = 0; row < rows; row++) {
                Arrays.fill(c, cOffset + row * columns, cOffset + row * columns + width, 0);
            }
        }
        if (width == PANEL) {
            PanelProduct.multiplyAdd(
                    a, aOffset, aStride, rows, b.elements(), b.panelOffset(panel), b.depth(), c, cOffset, columns);
            return;
        }
        // The kernel writes 64 columns: let it write the ragged last panel beside the matrix.
        float[] sums = new float[rows * PANEL];
        PanelProduct.multiplyAdd(
                a, aOffset, aStride, rows, b.elements(), b.panelOffset(panel), b.depth(), sums, 0, PANEL);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < width; column++) {
                c[cOffset + row * columns + column] += sums[row * PANEL + column];
            }
        }
    }
}
