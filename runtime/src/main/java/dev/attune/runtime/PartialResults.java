package dev.attune.runtime;

import dev.attune.runtime.spi.LayerShape;
import java.util.Arrays;

/**
 * Results of attention over slices of a sequence, and how they become the result over all of it. With the partial
 * outputs {@code o_i} and their log-sum-exps {@code l_i},
 *
 * <pre>
 * l = ln SUM_i exp(l_i)        o = SUM_i exp(l_i - l) o_i
 * </pre>
 *
 * <p>This is exact but for rounding: to float32 of what the kernels return, of the weights and of the sum, which runs
 * in the order of the slices.
 */
final class PartialResults {

    private final int queryHeads;
    private final int headDim;

    /** {@code [slices][queryHeads][headDim]} and {@code [slices][queryHeads]}; kernels write rows of their head. */
    private float[][] outputs = {};

    private float[][] logSumExps = {};

    PartialResults(LayerShape shape) {
        this.queryHeads = shape.queryHeads();
        this.headDim = shape.headDim();
    }

    /** Makes room for so many slices; allocates only if there were never as many. */
    void reserve(int slices) {
        int before = outputs.length;
        if (slices <= before) {
            return;
        }
        outputs = Arrays.copyOf(outputs, slices);
        logSumExps = Arrays.copyOf(logSumExps, slices);
        for (int slice = before; slice < slices; slice++) {
            outputs[slice] = new float[queryHeads * headDim];
            logSumExps[slice] = new float[queryHeads];
        }
    }

    /** Returns the outputs {@code [queryHeads][headDim]} over one slice, to be written. */
    float[] output(int slice) {
        return outputs[slice];
    }

    /** Returns the log-sum-exps {@code [queryHeads]} over one slice, to be written. */
    float[] logSumExp(int slice) {
        return logSumExps[slice];
    }

    /**
     * Merges the first slices, each of which has at least one token.
     *
     * @param output {@code [queryHeads][headDim]}, written
     * @param logSumExp {@code [queryHeads]}, written
     */
    void merge(int slices, float[] output, float[] logSumExp) {
        System.arraycopy(outputs[0], 0, output, 0, output.length);
        System.arraycopy(logSumExps[0], 0, logSumExp, 0, logSumExp.length);
        if (slices == 1) {
            return;
        }
        for (int query = 0; query < queryHeads; query++) {
            double merged = mergedLogSumExp(slices, query);
            logSumExp[query] = (float) merged;
            scale(output, query * headDim, weight(0, query, merged));
            for (int slice = 1; slice < slices; slice++) {
                addScaled(outputs[slice], output, query * headDim, weight(slice, query, merged));
            }
        }
    }

    /** {@code ln SUM_i exp(l_i)}, by way of the largest, so that nothing overflows. */
    private double mergedLogSumExp(int slices, int query) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int slice = 0; slice < slices; slice++) {
            largest = Math.max(largest, logSumExps[slice][query]);
        }
        double sum = 0;
        for (int slice = 0; slice < slices; slice++) {
            sum += Math.exp((double) logSumExps[slice][query] - largest);
        }
        return largest + Math.log(sum);
    }

    private float weight(int slice, int query, double merged) {
        return (float) Math.exp(logSumExps[slice][query] - merged);
    }

    private void scale(float[] row, int first, float weight) {
        for (int i = first; i < first + headDim; i++) {
            row[i] *= weight;
        }
    }

    private void addScaled(float[] from, float[] to, int first, float weight) {
        for (int i = first; i < first + headDim; i++) {
            to[i] += weight * from[i];
        }
    }
}
