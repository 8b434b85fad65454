package dev.attune.processor.emit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Transposes a square of numbers, as many rows as a vector has lanes, in registers. A perfect shuffle of all numbers,
 * which interleaves the first half with the second, rotates the bits of every place by one; so many shuffles as a place
 * within a row has bits exchange row and column.
 */
final class TransposeText {

    private TransposeText() {}

    /**
     * Returns the statements.
     *
     * @param lanes rows and columns
     * @param row the expression of a row, a vector of integers
     * @param store the statement, without semicolon, that stores a column; it begins with {@code column}, a vector of
     *     integers
     */
    static String square(int lanes, IntFunction<String> row, IntFunction<String> store) {
        StringBuilder text = new StringBuilder();
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < lanes; i++) {
            rows.add("row" + i);
            text.append("IntVector row%d = %s;\n".formatted(i, row.apply(i)));
        }
        char stage = 'a';
        for (int shuffled = 1; shuffled < lanes; shuffled *= 2) {
            List<String> next = new ArrayList<>();
            for (int i = 0; i < lanes / 2; i++) {
                for (String half : List.of("LOWER_OF_PAIRS", "UPPER_OF_PAIRS")) {
                    String name = stage + Integer.toString(next.size());
                    text.append("IntVector %s = %s.selectFrom(%s, %s);\n"
                            .formatted(name, half, rows.get(i), rows.get(lanes / 2 + i)));
                    next.add(name);
                }
            }
            rows = next;
            stage++;
        }
        for (int i = 0; i < lanes; i++) {
            text.append(store.apply(i).replace("column", rows.get(i))).append(";\n");
        }
        return text.toString();
    }

    /** Returns what to add to the place of the first row for that of another. */
    static String rows(int row, String stride) {
        return row == 0 ? "" : row == 1 ? " + " + stride : " + " + row + " * " + stride;
    }
}
