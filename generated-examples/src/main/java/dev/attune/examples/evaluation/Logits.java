package dev.attune.examples.evaluation;

import dev.attune.examples.llama.LlamaConfig;

/** What a row of 256 logits says about the next byte. */
final class Logits {

    private Logits() {}

    /** Returns the most likely byte of a row; the lowest among equals. */
    static int greedy(float[] logits, int row) {
        int offset = row * LlamaConfig.VOCABULARY;
        int best = 0;
        for (int token = 1; token < LlamaConfig.VOCABULARY; token++) {
            if (logits[offset + token] > logits[offset + best]) {
                best = token;
            }
        }
        return best;
    }

    /** Returns the negative log-likelihood of a byte in a row, in nats. */
    static double negativeLogLikelihood(float[] logits, int row, int token) {
        int offset = row * LlamaConfig.VOCABULARY;
        double maximum = logits[offset + greedy(logits, row)];
        double sum = 0;
        for (int i = 0; i < LlamaConfig.VOCABULARY; i++) {
            sum += Math.exp(logits[offset + i] - maximum);
        }
        return Math.log(sum) + maximum - logits[offset + token];
    }

    /** Draws a byte of the first row from the softmax at a temperature, with {@code uniform} in {@code [0, 1)}. */
    static int sample(float[] logits, double temperature, double uniform) {
        double maximum = logits[greedy(logits, 0)];
        double[] weights = new double[LlamaConfig.VOCABULARY];
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp((logits[i] - maximum) / temperature);
            sum += weights[i];
        }
        double left = uniform * sum;
        for (int i = 0; i < weights.length; i++) {
            left -= weights[i];
            if (left < 0) {
                return i;
            }
        }
        return greedy(logits, 0);
    }
}
