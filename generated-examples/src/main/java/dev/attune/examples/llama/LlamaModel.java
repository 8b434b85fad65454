package dev.attune.examples.llama;

import dev.attune.examples.linear.Exponentials;
import dev.attune.examples.linear.MatrixProduct;
import dev.attune.examples.linear.ParallelTasks;
import java.nio.file.Path;

/**
 * A Llama-architecture model over bytes. One forward pass serves prefilling (the rows are one prompt's tokens) and
 * batched decoding (one row per cache); an {@link AttentionStep} makes the difference. One thread at a time.
 */
public final class LlamaModel {

    private static final int TASK_ROWS = 64;

    private final LlamaConfig config;
    private final LlamaWeights weights;
    private final RotaryEmbedding rotary;

    private LlamaModel(LlamaConfig config, LlamaWeights weights) {
        this.config = config;
        this.weights = weights;
        this.rotary = new RotaryEmbedding(config.headDim(), config.ropeTheta());
    }

    /**
     * Reads {@code config.json} and {@code model.safetensors} of a directory.
     *
     * @throws dev.attune.examples.InputException if one is missing, malformed, or does not fit the other
     */
    public static LlamaModel read(Path directory) {
        LlamaConfig config = LlamaConfig.read(directory.resolve("config.json"));
        return new LlamaModel(config, LlamaWeights.read(directory.resolve("model.safetensors"), config));
    }

    /** Returns the model's numbers. */
    public LlamaConfig config() {
        return config;
    }

    /**
     * Runs the model over some rows.
     *
     * @param tokens {@code [rows]}, 0 to 255
     * @param positions {@code [rows]}, counted from 0
     * @param attention computes the attention of every layer
     * @param logitRows how many rows, counted from the last, need logits; with 0 the last layer stops after its keys
     * @return {@code [logitRows][256]}
     */
    public float[] forward(int[] tokens, int[] positions, AttentionStep attention, int logitRows) {
        int rows = tokens.length;
        int hidden = config.hidden();
        float[] state = new float[rows * hidden];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(weights.embedding(), tokens[row] * hidden, state, row * hidden, hidden);
        }
        float[] normed = new float[rows * hidden];
        float[] queriesKeysValues = new float[rows * config.attentionColumns()];
        float[] attended = new float[rows * config.queryColumns()];
        float[] gateUp = new float[rows * 2 * config.feedForward()];
        for (int index = 0; index < config.layers(); index++) {
            LlamaWeights.Layer layer = weights.layers().get(index);
            normalise(state, rows, layer.attentionNorm(), normed);
            MatrixProduct.multiply(normed, hidden, rows, layer.attention(), queriesKeysValues);
            // Queries and keys turn, the values behind them do not.
            rotary.apply(
                    queriesKeysValues, config.attentionColumns(), config.queryHeads() + config.keyValueHeads(),
                    positions);
            attention.store(index, rows, queriesKeysValues);
            if (logitRows == 0 && index == config.layers() - 1) {
                return new float[0];
            }
            attention.attend(index, rows, queriesKeysValues, attended);
            MatrixProduct.multiplyAdd(attended, config.queryColumns(), rows, layer.output(), state);
            normalise(state, rows, layer.feedForwardNorm(), normed);
            MatrixProduct.multiply(normed, hidden, rows, layer.gateUp(), gateUp);
            activate(gateUp, rows);
            MatrixProduct.multiplyAdd(gateUp, 2 * config.feedForward(), rows, layer.down(), state);
        }
        normalise(state, rows, weights.finalNorm(), normed);
        float[] logits = new float[logitRows * LlamaConfig.VOCABULARY];
        MatrixProduct.multiply(normed, (rows - logitRows) * hidden, hidden, logitRows, weights.head(), logits);
        return logits;
    }

    /** RMSNorm: {@code target = weight * x / sqrt(mean(x^2) + epsilon)}, row by row. */
    private void normalise(float[] source, int rows, float[] weight, float[] target) {
        int hidden = config.hidden();
        ParallelTasks.run((rows + TASK_ROWS - 1) / TASK_ROWS, task -> {
            int end = Math.min(rows, (task + 1) * TASK_ROWS);
            for (int row = task * TASK_ROWS; row < end; row++) {
                int offset = row * hidden;
                float squares = 0;
                for (int i = 0; i < hidden; i++) {
                    squares += source[offset + i] * source[offset + i];
                }
                float scale = (float) (1 / Math.sqrt(squares / hidden + config.normEpsilon()));
                for (int i = 0; i < hidden; i++) {
                    target[offset + i] = source[offset + i] * scale * weight[i];
                }
            }
        });
    }

    /** SwiGLU: replaces each row's gate by {@code gate / (1 + exp(-gate)) * up}. */
    private void activate(float[] gateUp, int rows) {
        int width = config.feedForward();
        ParallelTasks.run((rows + TASK_ROWS - 1) / TASK_ROWS, task -> {
            float[] exponentials = new float[width];
            int end = Math.min(rows, (task + 1) * TASK_ROWS);
            for (int row = task * TASK_ROWS; row < end; row++) {
                int gate = row * 2 * width;
                int up = gate + width;
                Exponentials.exponentials(gateUp, gate, width, -1, 0, exponentials, 0);
                for (int i = 0; i < width; i++) {
                    gateUp[gate + i] = gateUp[gate + i] / (1 + exponentials[i]) * gateUp[up + i];
                }
            }
        });
    }
}
