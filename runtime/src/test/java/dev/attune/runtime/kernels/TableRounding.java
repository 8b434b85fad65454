package dev.attune.runtime.kernels;

/**
 * How far a decode step is expected to be from the oracle if what it looks up, queries and weights, is rounded to
 * bfloat16, and nothing else is.
 *
 * <p>Let {@code p_t} be the weights, {@code v_t} the values and {@code o} the output. A rounding off by the relative
 * error {@code e} changes, to first order:
 *
 * <ul>
 *   <li>in channel {@code j} of a query, the score of every token whose key meets the rounded query by
 *       {@code e q_j k_tj / sqrt(d)}; so the log-sum-exp by {@code e q_j / sqrt(d) SUM_t p_t k_tj} and the output by
 *       {@code e q_j / sqrt(d) SUM_t p_t k_tj (v_t - o)}, sums over those tokens;
 *   <li>in the weight of token {@code t}, the output by {@code e p_t v_t}: weights are divided by the sum of the
 *       unrounded ones. Signed sums of four weights are rounded again, which may double the square of that.
 * </ul>
 *
 * <p>Roundings are independent of each other, so squares add up. bfloat16 has 8 significant bits: errors are spread
 * evenly over {@code 2^-8} of the power of two below a number, to either side, whose root mean square is 0.58 to 1.15
 * times {@code 2^-9} of the number, 0.85 over all. Taking {@code 2^-9} leaves room for the signed sums of queries,
 * which are integers of 16 bits.
 *
 * @param output the expected normalised mean square error of the output
 * @param logSumExp the standard deviation of the log-sum-exp
 */
record TableRounding(double output, double logSumExp) {

    private static final double RELATIVE = 0x1p-9;

    /**
     * Expects the error of one query head.
     *
     * @param query {@code [headDim]}
     * @param keys what the cache stands for, {@code [tokens][headDim]}, packed tokens first
     * @param values likewise
     * @param lookedUp so many tokens, from the first on, have keys that meet the rounded query
     */
    static TableRounding of(float[] query, float[] keys, float[] values, int lookedUp) {
        int headDim = query.length;
        double[] weights = weights(query, keys);
        double[] output = new double[headDim];
        for (int i = 0; i < values.length; i++) {
            output[i % headDim] += weights[i / headDim] * values[i];
        }
        double ofOutput = 0;
        double ofLogSumExp = 0;
        for (int j = 0; j < headDim; j++) {
            double meanKey = 0;
            double[] change = new double[headDim];
            for (int t = 0; t < lookedUp; t++) {
                double key = weights[t] * keys[t * headDim + j];
                meanKey += key;
                for (int i = 0; i < headDim; i++) {
                    change[i] += key * (values[t * headDim + i] - output[i]);
                }
            }
            ofLogSumExp += square(query[j] * meanKey) / headDim;
            for (double of : change) {
                ofOutput += square(query[j] * of) / headDim;
            }
        }
        for (int i = 0; i < values.length; i++) {
            ofOutput += 2 * square(weights[i / headDim] * values[i]);
        }
        double energy = 0;
        for (double of : output) {
            energy += square(of);
        }
        return new TableRounding(square(RELATIVE) * ofOutput / energy, RELATIVE * Math.sqrt(ofLogSumExp));
    }

    private static double[] weights(float[] query, float[] keys) {
        int headDim = query.length;
        double[] weights = new double[keys.length / headDim];
        double highest = Double.NEGATIVE_INFINITY;
        for (int t = 0; t < weights.length; t++) {
            for (int j = 0; j < headDim; j++) {
                weights[t] += query[j] * (double) keys[t * headDim + j];
            }
            weights[t] /= Math.sqrt(headDim);
            highest = Math.max(highest, weights[t]);
        }
        double sum = 0;
        for (int t = 0; t < weights.length; t++) {
            weights[t] = Math.exp(weights[t] - highest);
            sum += weights[t];
        }
        for (int t = 0; t < weights.length; t++) {
            weights[t] /= sum;
        }
        return weights;
    }

    private static double square(double x) {
        return x * x;
    }
}
