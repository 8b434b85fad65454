package dev.attune.examples.llama;

import java.util.ArrayList;
import java.util.List;

/** Attention over one prompt: every row sees itself and the rows before it; keys, values and last queries are kept. */
final class PrefillStep implements AttentionStep {

    private final LlamaConfig config;
    private final List<Prompt.Layer> layers = new ArrayList<>();

    PrefillStep(LlamaConfig config) {
        this.config = config;
    }

    /** Returns 0, 1, 2 and so on. */
    static int[] positions(int rows) {
        int[] positions = new int[rows];
        for (int row = 0; row < rows; row++) {
            positions[row] = row;
        }
        return positions;
    }

    @Override
    public void store(int layer, int rows, float[] queriesKeysValues) {
        int window = Math.min(Prompt.WINDOW, rows);
        layers.add(new Prompt.Layer(
                heads(queriesKeysValues, 0, rows, config.queryColumns(), config.keyValueHeads()),
                heads(queriesKeysValues, 0, rows, config.queryColumns() + config.keyColumns(),
                        config.keyValueHeads()),
                heads(queriesKeysValues, rows - window, rows, 0, config.queryHeads())));
    }

    @Override
    public void attend(int layer, int rows, float[] queriesKeysValues, float[] output) {
        CausalAttention.attend(config, rows, queriesKeysValues, output);
    }

    List<Prompt.Layer> layers() {
        return List.copyOf(layers);
    }

    /** Copies some heads of some rows: from {@code [rows][columns]} to {@code [heads][rows][headDim]}. */
    private float[] heads(float[] source, int from, int to, int column, int heads) {
        int headDim = config.headDim();
        int rows = to - from;
        float[] target = new float[heads * rows * headDim];
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < rows; row++) {
                System.arraycopy(
                        source, (from + row) * config.attentionColumns() + column + head * headDim,
                        target, (head * rows + row) * headDim, headDim);
            }
        }
        return target;
    }
}
