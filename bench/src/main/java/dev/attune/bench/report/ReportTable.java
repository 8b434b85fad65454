package dev.attune.bench.report;

import dev.attune.examples.report.ResultTable;
import java.util.List;
import java.util.Locale;

/** The rows of one comparison as text. */
public final class ReportTable {

    private static final List<String> HEADER = List.of(
            "spec", "format", "ns/token/head", "quartiles", "B/token/head", "GB/s", "of reading", "vs dense",
            "quartiles", "B/step");

    private ReportTable() {}

    /** Returns the lines of an aligned table: header, rule, rows. */
    public static List<String> lines(List<ReportRow> rows) {
        return new ResultTable(HEADER, rows.stream().map(ReportTable::cells).toList()).lines();
    }

    /** Returns how fast memory was read meanwhile. */
    public static String reading(List<ReportRow> rows) {
        return format("reading %.1f GB/s", rows.getFirst().readGigabytesPerSecond());
    }

    private static List<String> cells(ReportRow row) {
        return List.of(
                row.spec(),
                row.format(),
                format("%.2f", row.nanosPerTokenHead()),
                quartiles(row.nanosPerTokenHeadQuartiles()),
                format("%.1f", row.bytesPerTokenHead()),
                format("%.1f", row.gigabytesPerSecond()),
                format("%.0f %%", 100 * row.fractionOfReadBandwidth()),
                format("%.2fx", row.speedupOverDenseBf16()),
                quartiles(row.speedupOverDenseBf16Quartiles()),
                Long.toString(row.allocatedBytesPerStep()));
    }

    private static String quartiles(Quartiles quartiles) {
        return format("%.2f-%.2f", quartiles.lower(), quartiles.upper());
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
