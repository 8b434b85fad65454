package dev.attune.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReportRowTest {

    private static final double EXACT = 1e-12;

    private final List<ReportRow> rows = ReportRow.of(Outcomes.decodeStep());

    @Test
    void aRowSaysWhatItIsOf() {
        ReportRow row = rows.get(1);
        assertEquals("decode-step", row.operation());
        assertEquals("k0.8-centred+v0.8", row.spec());
        assertEquals("bf16", row.format());
        assertEquals(128, row.headDim());
        assertEquals(32_768, row.contextTokens());
        assertEquals(4, row.groupSize());
        assertEquals(1, row.threads());
        assertEquals("scalar", row.backend());
        assertEquals("scalar", row.strategy());
        assertEquals("vector512", rows.get(0).backend());
        assertEquals("permute", rows.get(0).strategy());
        assertEquals(64, row.allocatedBytesPerStep());
        assertEquals(3, row.rounds());
    }

    @Test
    void timesAndBytesArePerTokenAndHead() {
        ReportRow row = rows.get(1);
        assertEquals(8, row.nanosPerTokenHead(), EXACT);
        assertEquals(new Quartiles(6, 8), row.nanosPerTokenHeadQuartiles());
        assertEquals(200, row.bytesPerTokenHead(), EXACT);
        assertEquals(25, row.gigabytesPerSecond(), EXACT);
        assertEquals(40, row.readGigabytesPerSecond(), EXACT);
    }

    /** Reading moves 40 B/ns; the rounds move 200 bytes in 8, 8 and 4 ns. */
    @Test
    void theFractionOfReadBandwidthIsAMedianOfTheRoundsFractions() {
        assertEquals(25.0 / 40, rows.get(1).fractionOfReadBandwidth(), EXACT);
        assertEquals(new Quartiles(25.0 / 40, 37.5 / 40), rows.get(1).fractionOfReadBandwidthQuartiles());
    }

    /** Ratios of the rounds are 2, 4 and 4. The ratio of the medians would be 2. */
    @Test
    void theSpeedupIsAMedianOfTheRoundsRatios() {
        assertEquals(4, rows.get(1).speedupOverDenseBf16(), EXACT);
        assertEquals(new Quartiles(3, 4), rows.get(1).speedupOverDenseBf16Quartiles());
        assertEquals(1, rows.get(0).speedupOverDenseBf16(), EXACT);
    }
}
