package dev.attune.examples.llama;

import dev.attune.examples.linear.Exponentials;
import dev.attune.examples.linear.PanelMatrix;
import dev.attune.examples.linear.PanelProduct;
import dev.attune.examples.linear.ParallelTasks;
import java.util.Arrays;

/**
 * Dense causal attention over a whole prompt, as blocked matrix products: for each block of queries and each block of
 * keys {@code S = Q K^T}, a softmax whose maximum and sum are carried from block to block, and {@code O += P V}.
 */
final class CausalAttention {

    private static final int PANEL = PanelMatrix.PANEL;

    /** Queries of one task. */
    private static final int QUERIES = 8 * PanelProduct.ROWS;

    /** Keys of one block: its scores for a block of queries (96 KB) stay in the second-level cache. */
    private static final int KEYS = 8 * PANEL;

    private final LlamaConfig config;
    private final int rows;
    private final float[] input;
    private final float[] output;
    /** Width of a row of sums: the head dimension, rounded up to whole panels. */
    private final int width;
    /** Per key-value head {@code [ceil(rows / 64)][headDim][64]}: keys, tokens side by side. */
    private final float[][] keyPanels;
    /** Per key-value head {@code [ceil(headDim / 64)][rows][64]}: values, channels side by side. */
    private final float[][] valuePanels;

    private CausalAttention(LlamaConfig config, int rows, float[] input, float[] output) {
        this.config = config;
        this.rows = rows;
        this.input = input;
        this.output = output;
        this.width = PanelMatrix.panels(config.headDim()) * PANEL;
        this.keyPanels = new float[config.keyValueHeads()][];
        this.valuePanels = new float[config.keyValueHeads()][];
    }

    /**
     * Computes the attention output of every row over itself and the rows before it.
     *
     * @param input {@code [rows]} of queries, keys and values side by side
     * @param output {@code [rows][queryHeads * headDim]}, overwritten
     */
    static void attend(LlamaConfig config, int rows, float[] input, float[] output) {
        CausalAttention attention = new CausalAttention(config, rows, input, output);
        ParallelTasks.run(2 * config.keyValueHeads(), attention::pack);
        int blocks = (rows + QUERIES - 1) / QUERIES;
        // The last queries see the most keys: they go first, so that no thread is left alone with them.
        ParallelTasks.run(blocks * config.queryHeads(), task -> attention.attend(
                task % config.queryHeads(), (blocks - 1 - task / config.queryHeads()) * QUERIES));
    }

    private void pack(int task) {
        int head = task / 2;
        int stride = config.attentionColumns();
        int headDim = config.headDim();
        if (task % 2 == 0) {
            float[] panels = new float[PanelMatrix.panels(rows) * headDim * PANEL];
            int column = config.queryColumns() + head * headDim;
            for (int row = 0; row < rows; row++) {
                int target = row / PANEL * headDim * PANEL + row % PANEL;
                for (int channel = 0; channel < headDim; channel++) {
                    panels[target + channel * PANEL] = input[row * stride + column + channel];
                }
            }
            keyPanels[head] = panels;
        } else {
            float[] panels = new float[rows * width];
            int column = config.queryColumns() + config.keyColumns() + head * headDim;
            for (int first = 0; first < headDim; first += PANEL) {
                int count = Math.min(PANEL, headDim - first);
                for (int row = 0; row < rows; row++) {
                    System.arraycopy(
                            input, row * stride + column + first, panels, first * rows + row * PANEL, count);
                }
            }
            valuePanels[head] = panels;
        }
    }

    private void attend(int head, int firstQuery) {
        int headDim = config.headDim();
        int queries = Math.min(QUERIES, rows - firstQuery);
        int keyValueHead = head * config.keyValueHeads() / config.queryHeads();
        float scale = (float) (1 / Math.sqrt(headDim));
        int queryOffset = firstQuery * config.attentionColumns() + head * headDim;
        float[] scores = new float[queries * KEYS];
        float[] sums = new float[queries * width];
        float[] maxima = new float[queries];
        float[] totals = new float[queries];
        Arrays.fill(maxima, Float.NEGATIVE_INFINITY);
        int end = firstQuery + queries;
        for (int firstKey = 0; firstKey < end; firstKey += KEYS) {
            int keys = Math.min(KEYS, end - firstKey);
            Arrays.fill(scores, 0);
            for (int key = 0; key < keys; key += PANEL) {
                PanelProduct.multiplyAdd(
                        input, queryOffset, config.attentionColumns(), queries,
                        keyPanels[keyValueHead], (firstKey + key) * headDim, headDim,
                        scores, key, KEYS);
            }
            for (int query = 0; query < queries; query++) {
                int visible = Math.min(keys, firstQuery + query + 1 - firstKey);
                int row = query * KEYS;
                if (visible <= 0) {
                    Arrays.fill(scores, row, row + keys, 0);
                    continue;
                }
                float maximum = Math.max(maxima[query], scale * Exponentials.maximum(scores, row, visible));
                float total = Exponentials.exponentials(scores, row, visible, scale, -maximum, scores, row);
                Arrays.fill(scores, row + visible, row + keys, 0);
                float correction = (float) Math.exp(maxima[query] - maximum);
                maxima[query] = maximum;
                totals[query] = totals[query] * correction + total;
                for (int channel = query * width; channel < (query + 1) * width; channel++) {
                    sums[channel] *= correction;
                }
            }
            for (int channel = 0; channel < width; channel += PANEL) {
                PanelProduct.multiplyAdd(
                        scores, 0, KEYS, queries,
                        valuePanels[keyValueHead], channel * rows + firstKey * PANEL, keys,
                        sums, channel, width);
            }
        }
        for (int query = 0; query < queries; query++) {
            int target = (firstQuery + query) * config.queryColumns() + head * headDim;
            float scaleBack = 1 / totals[query];
            for (int channel = 0; channel < headDim; channel++) {
                output[target + channel] = sums[query * width + channel] * scaleBack;
            }
        }
    }
}
