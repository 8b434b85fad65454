package dev.attune.examples.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CausalAttentionTest {

    private static final long SEED = 7;

    @ParameterizedTest
    @CsvSource({"1,2,1,64", "47,4,2,128", "130,2,2,80", "1100,2,1,16"})
    void agreesWithANaiveSoftmax(int rows, int queryHeads, int keyValueHeads, int headDim) {
        LlamaConfig config =
                new LlamaConfig(1, 8, 8, queryHeads, keyValueHeads, headDim, 1e4, 1e-5, 4096, true);
        Random random = new Random(SEED);
        float[] input = new float[rows * config.attentionColumns()];
        for (int i = 0; i < input.length; i++) {
            input[i] = (float) random.nextGaussian();
        }
        float[] output = new float[rows * config.queryColumns()];

        CausalAttention.attend(config, rows, input, output);

        for (int head = 0; head < queryHeads; head++) {
            int shared = head * keyValueHeads / queryHeads;
            for (int query = 0; query < rows; query++) {
                double[] expected = naive(config, input, query, head, shared);
                for (int channel = 0; channel < headDim; channel++) {
                    assertEquals(
                            expected[channel],
                            output[query * config.queryColumns() + head * headDim + channel],
                            1e-5,
                            "seed " + SEED + ", head " + head + ", query " + query + ", channel " + channel);
                }
            }
        }
    }

    private static double[] naive(LlamaConfig config, float[] input, int query, int head, int shared) {
        int headDim = config.headDim();
        int stride = config.attentionColumns();
        double[] weights = new double[query + 1];
        double total = 0;
        for (int key = 0; key <= query; key++) {
            double score = 0;
            for (int channel = 0; channel < headDim; channel++) {
                score += (double) input[query * stride + head * headDim + channel]
                        * input[key * stride + config.queryColumns() + shared * headDim + channel];
            }
            weights[key] = Math.exp(score / Math.sqrt(headDim));
            total += weights[key];
        }
        double[] output = new double[headDim];
        for (int key = 0; key <= query; key++) {
            int value = key * stride + config.queryColumns() + config.keyColumns() + shared * headDim;
            for (int channel = 0; channel < headDim; channel++) {
                output[channel] += weights[key] / total * input[value + channel];
            }
        }
        return output;
    }
}
