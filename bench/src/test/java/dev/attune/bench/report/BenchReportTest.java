package dev.attune.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.attune.examples.report.Machine;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchReportTest {

    private final BenchReport report = new BenchReport(
            BenchReport.VERSION,
            new Machine("a processor", 2, 512, "Linux amd64", "a JVM"),
            List.of("-XX:UseAVX=2"),
            "2026-01-01T00:00:00Z",
            List.of("how"),
            List.of(new ReadSpeed(1, 4, 40, new Quartiles(39, 41), List.of(new ReadSpeed.Way(4, 40)))),
            2,
            1,
            ReportRow.of(Outcomes.decodeStep()));

    @Test
    void whatIsWrittenCanBeReadAgain() throws IOException {
        assertEquals(report, BenchReport.parse(report.json()));
    }

    @Test
    void otherProgramsFindTheirFieldsByName() throws IOException {
        JsonNode json = new ObjectMapper().readTree(report.json());
        assertEquals("a processor", json.at("/machine/processor").asText());
        assertEquals("-XX:UseAVX=2", json.at("/flags/0").asText());
        assertEquals(40, json.at("/readBandwidth/0/gigabytesPerSecond").asDouble());
        JsonNode row = json.at("/rows/1");
        for (String name : List.of("operation", "spec", "backend", "strategy", "format")) {
            assertTrue(row.path(name).isTextual(), name);
        }
        for (String name : List.of(
                "contextTokens", "groupSize", "threads", "nanosPerTokenHead", "bytesPerTokenHead",
                "fractionOfReadBandwidth", "speedupOverDenseBf16", "allocatedBytesPerStep")) {
            assertTrue(row.path(name).isNumber(), name);
        }
        assertEquals(3, row.at("/speedupOverDenseBf16Quartiles/lower").asDouble());
    }
}
