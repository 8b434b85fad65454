package dev.attune.bench.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.attune.examples.report.Machine;
import java.util.List;

/**
 * A run of the benchmarks, as {@code bench-report.json} holds it.
 *
 * @param version of this format
 * @param machine where it was measured
 * @param flags of the JVM
 * @param date when it began, in UTC, ISO 8601
 * @param method how it was measured
 * @param readBandwidth how fast memory is read, one entry per number of threads
 * @param comparisons how many comparisons were asked for
 * @param compared how many of them the rows are of; fewer if the run was cut short
 * @param rows one per operation and layer
 */
public record BenchReport(
        int version,
        Machine machine,
        List<String> flags,
        String date,
        List<String> method,
        List<ReadSpeed> readBandwidth,
        int comparisons,
        int compared,
        List<ReportRow> rows) {

    /** The version that is written. */
    public static final int VERSION = 1;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Copies the lists. */
    public BenchReport {
        flags = List.copyOf(flags);
        method = List.copyOf(method);
        readBandwidth = List.copyOf(readBandwidth);
        rows = List.copyOf(rows);
    }

    /** Returns the report as JSON. */
    public String json() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report that cannot be written as JSON", e);
        }
    }

    /**
     * Reads what {@link #json} wrote.
     *
     * @throws JsonProcessingException if the text is not such a report
     */
    public static BenchReport parse(String json) throws JsonProcessingException {
        return JSON.readValue(json, BenchReport.class);
    }
}
