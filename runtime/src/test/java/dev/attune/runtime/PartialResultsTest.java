package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.attune.runtime.spi.LayerShape;
import org.junit.jupiter.api.Test;

class PartialResultsTest {

    private static final int QUERY_HEADS = 6;
    private static final int D = 48;

    private final RandomTokens random = new RandomTokens("PartialResultsTest");
    private final PartialResults partialResults = new PartialResults(new LayerShape(QUERY_HEADS, 2, D, 8, true));
    private final float[] output = new float[QUERY_HEADS * D];
    private final float[] logSumExp = new float[QUERY_HEADS];

    private void fill(int slices, float spread) {
        partialResults.reserve(slices);
        for (int slice = 0; slice < slices; slice++) {
            System.arraycopy(random.next(QUERY_HEADS * D), 0, partialResults.output(slice), 0, QUERY_HEADS * D);
            float[] sums = random.next(QUERY_HEADS);
            for (int query = 0; query < QUERY_HEADS; query++) {
                partialResults.logSumExp(slice)[query] = spread * sums[query];
            }
        }
    }

    @Test
    void oneSliceIsTheResultToTheBit() {
        fill(1, 1);
        partialResults.merge(1, output, logSumExp);
        assertArrayEquals(partialResults.output(0), output);
        assertArrayEquals(partialResults.logSumExp(0), logSumExp);
    }

    @Test
    void mergingFollowsTheFormulaToTheRoundingOfFloat32() {
        for (int slices : new int[] {2, 3, 32}) {
            // From slices that count alike to one that outweighs all others, and to sums that overflow exp().
            for (float spread : new float[] {0, 1, 10, 100, 1000}) {
                fill(slices, spread);
                partialResults.merge(slices, output, logSumExp);
                for (int query = 0; query < QUERY_HEADS; query++) {
                    assertMerged(slices, query);
                }
            }
        }
    }

    private void assertMerged(int slices, int query) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int slice = 0; slice < slices; slice++) {
            largest = Math.max(largest, partialResults.logSumExp(slice)[query]);
        }
        double sum = 0;
        double[] expected = new double[D];
        for (int slice = 0; slice < slices; slice++) {
            double weight = Math.exp(partialResults.logSumExp(slice)[query] - largest);
            sum += weight;
            for (int j = 0; j < D; j++) {
                expected[j] += weight * partialResults.output(slice)[query * D + j];
            }
        }
        double merged = largest + Math.log(sum);
        assertEquals(merged, logSumExp[query], Math.ulp((float) merged));
        for (int j = 0; j < D; j++) {
            // Each of up to 32 terms is at most 4 or so, and rounded twice.
            assertEquals(expected[j] / sum, output[query * D + j], 4e-6);
        }
    }

    @Test
    void buffersOnlyGrow() {
        partialResults.reserve(5);
        float[] last = partialResults.output(4);
        partialResults.reserve(2);
        partialResults.reserve(5);
        assertSame(last, partialResults.output(4));
        partialResults.reserve(6);
        assertSame(last, partialResults.output(4));
    }
}
