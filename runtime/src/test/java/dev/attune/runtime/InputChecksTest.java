package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class InputChecksTest {

    @Test
    void oneBadNumberIsFoundAtEveryPlaceOfEveryLength() {
        for (int length = 1; length < 40; length++) {
            for (int at = 0; at < length; at++) {
                for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                    float[] numbers = new float[length];
                    numbers[at] = bad;
                    String expected = "x[0][" + at + "] is " + bad + "; every number must be finite";
                    assertEquals(expected, refusal(numbers, length));
                }
            }
        }
    }

    private static String refusal(float[] numbers, int headDim) {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> InputChecks.requireFinite("x", numbers, 0, headDim))
                .getMessage();
        String again = assertThrows(
                        IllegalArgumentException.class,
                        () -> InputChecks.requireFinite("x", MemorySegment.ofArray(numbers), 0, headDim))
                .getMessage();
        assertEquals(message, again);
        return message;
    }

    @Test
    void theFirstOfSeveralBadNumbersIsNamed() {
        float[] numbers = new float[3 * 8192];
        numbers[9000] = Float.NaN;
        numbers[9001] = Float.POSITIVE_INFINITY;
        assertEquals("x[1][808] is NaN; every number must be finite", refusal(numbers, 8192));
    }

    @Test
    void theLargestAndSmallestNumbersAreFinite() {
        float[] numbers = {
            Float.MAX_VALUE, Float.MAX_VALUE, -Float.MAX_VALUE, Float.MIN_VALUE, -Float.MIN_VALUE, -0f, 0f, 1f, -1f
        };
        assertDoesNotThrow(() -> InputChecks.requireFinite("x", numbers, 0, 9));
    }
}
