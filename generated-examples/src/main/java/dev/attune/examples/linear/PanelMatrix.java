package dev.attune.examples.linear;

/**
 * The right-hand side of a matrix product, packed in panels of 64 columns: {@code [panels][depth][64]}, the last panel
 * padded with zeros. The product reads a panel front to back, a whole cache line at a time.
 *
 * @param depth rows of the matrix, the length of the inner loop
 * @param columns columns of the matrix, before padding
 * @param elements {@code [ceil(columns / 64)][depth][64]}
 */
public record PanelMatrix(int depth, int columns, float[] elements) {

    /** Columns of a panel. */
    public static final int PANEL = 64;

    /** Checks the number of elements. */
    public PanelMatrix {
        if (elements.length != panels(columns) * depth * PANEL) {
            throw new IllegalArgumentException(
                    "a panel matrix of depth " + depth + " and " + columns + " columns holds "
                            + panels(columns) * depth * PANEL + " elements, not " + elements.length);
        }
    }

    /**
     * Packs the transpose of the stacked row-major matrices, each {@code [rows][depth]}: row {@code i} of the stack
     * becomes column {@code i}, as a linear layer {@code y = W x} needs it.
     */
    public static PanelMatrix ofRows(int depth, float[]... matrices) {
        int columns = 0;
        for (float[] matrix : matrices) {
            columns += matrix.length / depth;
        }
        float[] elements = new float[panels(columns) * depth * PANEL];
        int column = 0;
        for (float[] matrix : matrices) {
            for (int row = 0; row < matrix.length / depth; row++, column++) {
                int target = (column / PANEL) * depth * PANEL + column % PANEL;
                for (int k = 0; k < depth; k++) {
                    elements[target + k * PANEL] = matrix[row * depth + k];
                }
            }
        }
        return new PanelMatrix(depth, columns, elements);
    }

    /** Returns the number of panels. */
    public int panels() {
        return panels(columns);
    }

    /** Returns the index of the panel's first element. */
    public int panelOffset(int panel) {
        return panel * depth * PANEL;
    }

    /** Returns how many panels hold that many columns. */
    public static int panels(int columns) {
        return (columns + PANEL - 1) / PANEL;
    }
}
