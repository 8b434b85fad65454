package dev.attune.examples.report;

import dev.attune.examples.evaluation.CacheCatalogue;
import dev.attune.examples.evaluation.CacheResult;
import dev.attune.examples.evaluation.DecodeTiming;
import dev.attune.examples.evaluation.NeedleScore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The results as text: one row per cache, the same in the terminal and on the web page.
 *
 * @param header one heading per column
 * @param rows one cell per column; the first is the cache's name
 */
public record ResultTable(List<String> header, List<List<String>> rows) {

    /** Copies the lists. */
    public ResultTable {
        header = List.copyOf(header);
        rows = rows.stream().map(List::copyOf).toList();
    }

    /** Lays the results out; differences are to the dense cache, if it is among them. */
    public static ResultTable of(List<CacheResult> results) {
        List<String> header = new ArrayList<>(List.of("cache", "B/token/head", "compression", "nats/byte", "to dense"));
        for (NeedleScore needle : results.getFirst().needles()) {
            header.add(needle.file());
        }
        header.add("decode us");
        header.add("vs dense");
        Optional<CacheResult> dense = dense(results);
        return new ResultTable(header, results.stream().map(result -> row(result, dense)).toList());
    }

    /** Returns the dense cache's result, if it was evaluated. */
    static Optional<CacheResult> dense(List<CacheResult> results) {
        return results.stream()
                .filter(result -> result.choice().name().equals(CacheCatalogue.DENSE))
                .findFirst();
    }

    private static List<String> row(CacheResult result, Optional<CacheResult> dense) {
        DecodeTiming.Sample sample = result.tableSample();
        List<String> row = new ArrayList<>();
        row.add(result.choice().name());
        row.add(format("%.1f", sample.bytesPerTokenPerHead()));
        row.add(format("%.2fx", sample.compression()));
        row.add(format("%.4f", result.natsPerByte()));
        row.add(dense.map(base -> format("%+.4f", result.natsPerByte() - base.natsPerByte())).orElse("-"));
        for (NeedleScore needle : result.needles()) {
            row.add(format("%.3f", needle.accuracy()));
        }
        row.add(format("%.1f", sample.micros()));
        row.add(dense.map(base -> format("%.2fx", base.tableSample().micros() / sample.micros())).orElse("-"));
        return row;
    }

    static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /**
     * Returns the lines of an aligned table: header, rule, rows.
     *
     * @param textColumns columns of names besides the first, from 0; the others are numbers
     */
    public List<String> lines(int... textColumns) {
        Set<Integer> text = Arrays.stream(textColumns).boxed().collect(Collectors.toSet());
        int[] widths = new int[header.size()];
        for (int column = 0; column < widths.length; column++) {
            widths[column] = header.get(column).length();
            for (List<String> row : rows) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        List<String> lines = new ArrayList<>();
        lines.add(line(header, widths, text));
        lines.add("-".repeat(Arrays.stream(widths).sum() + 2 * (widths.length - 1)));
        rows.forEach(row -> lines.add(line(row, widths, text)));
        return lines;
    }

    /** Names to the left, numbers to the right. */
    private static String line(List<String> cells, int[] widths, Set<Integer> text) {
        StringBuilder line = new StringBuilder(cells.getFirst());
        line.repeat(' ', widths[0] - cells.getFirst().length());
        for (int column = 1; column < widths.length; column++) {
            String cell = cells.get(column);
            int blanks = widths[column] - cell.length();
            if (text.contains(column)) {
                line.append("  ").append(cell).repeat(' ', blanks);
            } else {
                line.repeat(' ', 2 + blanks).append(cell);
            }
        }
        return line.toString().stripTrailing();
    }
}
