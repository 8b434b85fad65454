package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.LaneStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the sums over a lane's kept entries: each residual is multiplied by the table entry its index names, and added
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
     * @param columns columns of a lane; slot {@code s} of column {@code k} is index {@code s * columns + k}
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
        // So many entries fill whole rows of residuals and of indices.
        int step = Math.max(16 * number.slots() / number.bytes(), 16 / indices.elementBytes());
        int steps = indices.elements() / step;
        StringBuilder text = new StringBuilder();
        if (steps > 0) {
            text.append("    for (uint row = 0; row < ").append(steps).append("; row++) {\n");
            List<Row> residualRows = rowsOfStep("residuals", residualPlace, residualByte(step), text);
            List<Row> indexRows = rowsOfStep("indices", indexPlace, step * indices.elementBytes(), text);
            unpack(residualRows, text);
            addTerms(0, step, residualRows, indexRows, text);
            text.append("    }\n");
        }
        if (steps * step < indices.elements()) {
            text.append("    {\n");
            List<Row> residualRows = rest("residuals", residuals, residualPlace, residualByte(steps * step), text);
            List<Row> indexRows =
                    rest("indices", indices, indexPlace, steps * step * indices.elementBytes(), text);
            unpack(residualRows, text);
            addTerms(steps * step, indices.elements(), residualRows, indexRows, text);
            text.append("    }\n");
        }
        return text.toString();
    }

    /** Returns the lane's byte that holds the residual of an entry. */
    private int residualByte(int entry) {
        int slot = entry / columns;
        int column = entry % columns;
        return (slot / number.slots() * columns + column) * number.bytes();
    }

    /**
     * A row that was loaded into a variable.
     *
     * @param first its first byte of a lane
     * @param bytes its bytes of a lane
     */
    private record Row(String variable, int first, int bytes) {}

    /** Loads the rows of 16 bytes that hold one step of the loop. */
    private static List<Row> rowsOfStep(String name, String place, int bytes, StringBuilder text) {
        List<Row> rows = new ArrayList<>();
        int count = bytes / 16;
        for (int i = 0; i < count; i++) {
            String row = count == 1 ? "row" : i == 0 ? "row * " + count : "(row * " + count + " + " + i + ")";
            text.append("        uint4 %s%d = ((global const uint4 *) (%s))[%s * LANES + lane];\n"
                    .formatted(name, i, place, row));
            rows.add(new Row(name + i, i * 16, 16));
        }
        return rows;
    }

    /** Loads the rows that come after the loop. */
    private static List<Row> rest(String name, LaneStream stream, String place, int from, StringBuilder text) {
        List<Row> rows = new ArrayList<>();
        for (LaneStream.Rows section : stream.rows()) {
            for (int start = section.start(); start < section.end(); start += section.width()) {
                if (start < from) {
                    continue;
                }
                String type = StoredNumber.wordsType(section.width());
                String variable = name + rows.size();
                text.append("        %s %s = ((global const %s *) (%s + %d))[lane];\n"
                        .formatted(type, variable, type, place, start * LaneStream.LANES));
                rows.add(new Row(variable, start, section.width()));
            }
        }
        return rows;
    }

    private void unpack(List<Row> rows, StringBuilder text) {
        for (Row row : rows) {
            String statement = number.unpacked(row.variable(), row.bytes());
            text.append(statement.isEmpty() ? "" : "        " + statement);
        }
    }

    private void addTerms(int from, int end, List<Row> residualRows, List<Row> indexRows, StringBuilder text) {
        for (int entry = from; entry < end; entry++) {
            int residualByte = residualByte(entry);
            int indexByte = entry * indices.elementBytes();
            Row residual = containing(residualRows, residualByte);
            Row index = containing(indexRows, indexByte);
            int slot = entry / columns % number.slots();
            text.append("        ")
                    .append(term.replace("COLUMN", Integer.toString(entry % columns))
                            .replace(
                                    "NUMBER",
                                    number.ofRow(
                                            residual.variable(),
                                            residual.bytes(),
                                            residualByte - residual.first(),
                                            slot))
                            .replace(
                                    "INDEX",
                                    StoredNumber.indexOfRow(
                                            index.variable(),
                                            index.bytes(),
                                            indexByte - index.first(),
                                            indices.elementBytes())))
                    .append('\n');
        }
    }

    private static Row containing(List<Row> rows, int at) {
        return rows.stream()
                .filter(row -> at >= row.first() && at < row.first() + row.bytes())
                .findFirst()
                .orElseThrow();
    }
}
