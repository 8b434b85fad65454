package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.LaneStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the sums over a lane's stream of kept entries: each is multiplied by the table entry its index names, and added
 * to the sum of its column. Rows of 16 bytes are walked in a loop, what is left is written out.
 */
final class StreamSumText {

    private final LaneStream residuals;
    private final LaneStream indices;
    private final StoredNumber number;
    private final int columns;
    private final String term;

    /**
     * Describes the sums.
     *
     * @param number the format of the residuals
     * @param columns columns of a lane; element {@code e} belongs to column {@code e % columns}
     * @param term a statement with {@code COLUMN}, {@code NUMBER} and {@code INDEX}
     */
    StreamSumText(LaneStream residuals, LaneStream indices, StoredNumber number, int columns, String term) {
        this.residuals = residuals;
        this.indices = indices;
        this.number = number;
        this.columns = columns;
        this.term = term;
    }

    /**
     * Returns the statements.
     *
     * @param residualPlace offset of the lanes' residuals, an expression in bytes
     * @param indexPlace offset of their indices, likewise
     */
    String write(String residualPlace, String indexPlace) {
        int step = 16 / Math.min(residuals.elementBytes(), indices.elementBytes());
        int steps = residuals.elements() / step;
        StringBuilder text = new StringBuilder();
        if (steps > 0) {
            text.append("    for (uint row = 0; row < ").append(steps).append("; row++) {\n");
            text.append(loads("residuals", residuals, residualPlace, step));
            text.append(loads("indices", indices, indexPlace, step));
            for (int e = 0; e < step; e++) {
                text.append("        ").append(statement(e, rowOf(residuals, e), rowOf(indices, e)));
            }
            text.append("    }\n");
        }
        int rest = residuals.elements() - steps * step;
        if (rest > 0) {
            text.append("    {\n");
            List<Row> residualRows = rest("residuals", residuals, residualPlace, steps * step, text);
            List<Row> indexRows = rest("indices", indices, indexPlace, steps * step, text);
            for (int e = steps * step; e < residuals.elements(); e++) {
                text.append("        ").append(statement(e, containing(residualRows, e), containing(indexRows, e)));
            }
            text.append("    }\n");
        }
        return text.toString();
    }

    /**
     * A row that was loaded into a variable.
     *
     * @param first its first element
     * @param count its elements
     */
    private record Row(String variable, int first, int count) {}

    /** Loads the rows of 16 bytes that hold one step of the loop. */
    private static String loads(String name, LaneStream stream, String place, int step) {
        int rows = step * stream.elementBytes() / 16;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            String row = rows == 1 ? "row" : i == 0 ? "row * " + rows : "(row * " + rows + " + " + i + ")";
            text.append("        uint4 %s%d = ((global const uint4 *) (%s))[%s * LANES + lane];\n"
                    .formatted(name, i, place, row));
        }
        return text.toString();
    }

    private static Row rowOf(LaneStream stream, int element) {
        int perRow = 16 / stream.elementBytes();
        return new Row("#" + element / perRow, element / perRow * perRow, perRow);
    }

    private static List<Row> rest(String name, LaneStream stream, String place, int from, StringBuilder text) {
        List<Row> rows = new ArrayList<>();
        for (LaneStream.Rows section : stream.rows()) {
            for (int i = 0; i < section.count(); i++) {
                int start = section.start() + i * section.width();
                if (start < from * stream.elementBytes()) {
                    continue;
                }
                String type = StoredNumber.wordsType(section.width());
                text.append("        %s %s%d = ((global const %s *) (%s + %d))[lane];\n".formatted(
                        type, name, rows.size(), type, place, start * LaneStream.LANES));
                rows.add(new Row(
                        "#" + rows.size(), start / stream.elementBytes(), section.width() / stream.elementBytes()));
            }
        }
        return rows;
    }

    private static Row containing(List<Row> rows, int element) {
        return rows.stream()
                .filter(row -> element < row.first() + row.count())
                .findFirst()
                .orElseThrow();
    }

    private String statement(int element, Row residual, Row index) {
        String ofResidual = number.ofRun(
                residual.variable().replace("#", "residuals"), residual.count(), element - residual.first());
        String ofIndex = StoredNumber.indexOfRun(
                index.variable().replace("#", "indices"), index.count(), indices.elementBytes(), element - index.first());
        return term.replace("COLUMN", Integer.toString(element % columns))
                        .replace("NUMBER", ofResidual)
                        .replace("INDEX", ofIndex)
                + "\n";
    }
}
