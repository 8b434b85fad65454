package dev.attune.examples.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ExponentialsTest {

    @Test
    void agreesWithMathOverTheWholeRange() {
        float[] source = new float[2001];
        for (int i = 0; i < source.length; i++) {
            source[i] = -95 + 0.09f * i;
        }
        float[] target = new float[source.length];

        Exponentials.exponentials(source, 0, source.length, 1, 0, target, 0);

        for (int i = 0; i < source.length; i++) {
            double expected = Math.exp(Math.max(-87, Math.min(88, source[i])));
            assertEquals(1, target[i] / expected, 1e-6, "exp(" + source[i] + ")");
        }
    }

    @Test
    void sumsWhatItWrites() {
        float[] source = {0, -1, -2, -3, 0.5f, -0.25f, -7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.125f, -5};
        float[] target = new float[source.length];

        float sum = Exponentials.exponentials(source, 0, source.length, 2, -1, target, 0);

        double expected = 0;
        for (float each : source) {
            expected += Math.exp(2 * each - 1);
        }
        assertEquals(expected, sum, 1e-5);
    }

    @Test
    void findsTheMaximumInEveryPlace() {
        for (int place = 0; place < 37; place++) {
            float[] array = new float[40];
            array[place + 1] = 3;
            assertEquals(3, Exponentials.maximum(array, 1, 37), "place " + place);
        }
        assertTrue(Exponentials.maximum(new float[0], 0, 0) == Float.NEGATIVE_INFINITY);
    }
}
