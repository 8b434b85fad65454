package dev.attune.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.attune.runtime.tuning.Distribution;
import org.junit.jupiter.api.Test;

class RoundsTest {

    /** The second contestant is always twice as fast as the first, on a machine that gets slower and slower. */
    private static final Rounds SLOWING = new Rounds(new double[][] {{10, 20, 80}, {5, 10, 40}}, true);

    @Test
    void ratiosAreFormedWithinRoundsSoThatASlowingMachineDoesNotSpreadThem() {
        assertEquals(new Distribution(2, 2, 2), SLOWING.speedup(1, 0));
        assertEquals(new Distribution(0.5, 0.5, 0.5), SLOWING.speedup(0, 1));
    }

    @Test
    void timesAreMediansOverTheRounds() {
        assertEquals(20, SLOWING.nanos(0).median());
        assertEquals(3, SLOWING.count());
    }
}
