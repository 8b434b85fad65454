package dev.attune.bench.report;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ChartsTest {

    private final List<ReportRow> steps = ReportRow.of(Outcomes.decodeStep());

    @Test
    void theRooflineNamesEveryLayerAndTheSpeedOfReading() {
        String svg = RooflineChart.svg(steps);
        assertTrue(svg.startsWith("<svg"), svg);
        assertTrue(svg.contains("dense bf16") && svg.contains("k0.8-centred+v0.8 bf16"), svg);
        assertTrue(svg.contains("plain reading, 40.0 GB/s") && svg.contains("G = 4"), svg);
    }

    @Test
    void decodeTimesAreALinePerLayerAndGroup() {
        String svg = DecodeTimeChart.svg(steps);
        assertTrue(svg.contains("k0.8-centred+v0.8 bf16, G = 4"), svg);
    }
}
