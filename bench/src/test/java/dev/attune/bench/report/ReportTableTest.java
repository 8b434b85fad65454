package dev.attune.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.attune.bench.compare.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTableTest {

    @Test
    void aComparisonIsATableOfItsLayers() {
        Outcome outcome = Outcomes.decodeStep();
        List<ReportRow> rows = ReportRow.of(outcome);
        assertEquals("decode-step, d = 128, G = 4, 32k tokens, 1 thread", outcome.comparison().title());
        assertEquals("reading 40.0 GB/s", ReportTable.reading(rows));
        List<String> lines = ReportTable.lines(rows);
        assertEquals(4, lines.size());
        assertEquals(
                List.of("spec", "format", "ns/token/head", "quartiles", "B/token/head", "GB/s", "of reading",
                        "vs dense", "quartiles", "B/step"),
                cells(lines.get(0)));
        assertEquals(
                List.of("dense", "bf16", "16.00", "16.00-24.00", "512.0", "32.0", "80 %", "1.00x", "1.00-1.00", "0"),
                cells(lines.get(2)));
        assertEquals(
                List.of("k0.8-centred+v0.8", "bf16", "8.00", "6.00-8.00", "200.0", "25.0", "63 %", "4.00x", "3.00-4.00",
                        "64"),
                cells(lines.get(3)));
    }

    private static List<String> cells(String line) {
        return List.of(line.split("\\s{2,}"));
    }
}
