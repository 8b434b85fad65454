package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class InputChecksTest {

    private static final float BEYOND = Math.nextUp(InputChecks.LIMIT);
    private static final String TOO_LARGE =
            "; numbers beyond 1.0E10 in magnitude would overflow scores: check the model's output";

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
    void aNumberBeyondTheLimitIsFoundAtEveryPlaceOfEveryLength() {
        for (int length = 1; length < 40; length++) {
            for (int at = 0; at < length; at++) {
                for (float bad : new float[] {3e38f, -3e38f, Float.MAX_VALUE, BEYOND, -BEYOND}) {
                    float[] numbers = new float[length];
                    numbers[at] = bad;
                    assertEquals("x[0][" + at + "] is " + bad + TOO_LARGE, refusal(numbers, length));
                }
            }
        }
        assertEquals("x[0][1] is 3.0E38" + TOO_LARGE, refusal(new float[] {1, 3e38f, Float.NaN}, 3));
    }

    @Test
    void theLimitAndTheSmallestNumbersAreAccepted() {
        float[] numbers = {
            InputChecks.LIMIT, -InputChecks.LIMIT, Float.MIN_VALUE, -Float.MIN_VALUE, -0f, 0f, 1f, -1f, 2f
        };
        assertAccepted(numbers);
    }

    @Test
    void numbersWhoseSumIsBeyondTheLimitAreAccepted() {
        float[] numbers = new float[9001];
        Arrays.fill(numbers, -InputChecks.LIMIT);
        assertAccepted(numbers);
        numbers[9000] = -BEYOND;
        assertEquals("x[0][9000] is " + -BEYOND + TOO_LARGE, refusal(numbers, 9001));
    }

    private static void assertAccepted(float[] numbers) {
        assertDoesNotThrow(() -> InputChecks.requireFinite("x", numbers, 0, numbers.length));
        assertDoesNotThrow(
                () -> InputChecks.requireFinite("x", MemorySegment.ofArray(numbers), 0, numbers.length));
    }
}
