package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class DistributionTest {

    @Test
    void quartilesBetweenTwoNumbersAreInterpolated() {
        assertEquals(new Distribution(1.75, 2.5, 3.25), Distribution.of(new double[] {4, 1, 3, 2}));
        assertEquals(new Distribution(2, 3, 4), Distribution.of(new double[] {5, 4, 3, 2, 1}));
        assertEquals(new Distribution(7, 7, 7), Distribution.of(new double[] {7}));
    }

    @Test
    void theSampleIsLeftInItsOrder() {
        double[] sample = {3, 1, 2};
        Distribution.of(sample);
        assertEquals(3, sample[0]);
    }

    @Test
    void anEmptySampleIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Distribution.of(new double[0]));
    }
}
