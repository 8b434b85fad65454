package dev.attune.runtime.kernels;

/** Textbook attention in double precision over dense keys and values: what the oracle itself is checked against. */
final class ReferenceAttention {

    private ReferenceAttention() {}

    /**
     * Attends one query.
     *
     * @param query {@code d} numbers from {@code from} on
     * @param keys {@code [count][d]}
     * @param values {@code [count][d]}
     * @param output receives {@code d} numbers
     * @return the log-sum-exp of the scores
     */
    static double attend(float[] query, int from, float[] keys, float[] values, int count, double[] output) {
        int headDim = output.length;
        double[] scores = new double[count];
        double maximum = Double.NEGATIVE_INFINITY;
        for (int token = 0; token < count; token++) {
            for (int channel = 0; channel < headDim; channel++) {
                scores[token] += (double) query[from + channel] * keys[token * headDim + channel] / Math.sqrt(headDim);
            }
            maximum = Math.max(maximum, scores[token]);
        }
        double sum = 0;
        for (int token = 0; token < count; token++) {
            double weight = Math.exp(scores[token] - maximum);
            sum += weight;
            for (int channel = 0; channel < headDim; channel++) {
                output[channel] += weight * values[token * headDim + channel];
            }
        }
        for (int channel = 0; channel < headDim; channel++) {
            output[channel] = count == 0 ? 0 : output[channel] / sum;
        }
        return maximum + Math.log(sum);
    }
}
