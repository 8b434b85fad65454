package dev.attune.examples.evaluation;

import dev.attune.examples.llama.LlamaConfig;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import java.util.List;

/** The caches of one sequence: one per layer, all of the same specification. */
final class LayerCaches implements AutoCloseable {

    private final LlamaConfig config;
    private final List<KeyValueCache> layers;
    private final float[] key;
    private final float[] value;
    private final float[] query;
    private final float[] output;

    LayerCaches(LlamaConfig config, LayerKernels kernels, int promptTokens, int generatedTokens) {
        this.config = config;
        this.key = new float[config.keyColumns()];
        this.value = new float[config.keyColumns()];
        this.query = new float[config.queryColumns()];
        this.output = new float[config.queryColumns()];
        this.layers = AllOrNone.open(
                config.layers(), layer -> kernels.newCache(promptTokens, generatedTokens), KeyValueCache::close);
    }

    /** Replaces what the layer's cache holds by a prompt, pruned. */
    void prefill(int layer, Prompt.Layer prompt) {
        KeyValueCache cache = layers.get(layer);
        cache.clear();
        cache.prefill(prompt.keys(), prompt.values(), prompt.windowQueries());
    }

    /** Appends the keys and values of a row {@code queries | keys | values} that starts at {@code offset}. */
    void append(int layer, float[] row, int offset) {
        System.arraycopy(row, offset + config.queryColumns(), key, 0, key.length);
        System.arraycopy(row, offset + config.queryColumns() + config.keyColumns(), value, 0, value.length);
        layers.get(layer).append(key, value);
    }

    /** Attends with the queries of such a row. */
    void attend(int layer, float[] row, int offset, float[] target, int targetOffset) {
        System.arraycopy(row, offset, query, 0, query.length);
        layers.get(layer).attend(query, output);
        System.arraycopy(output, 0, target, targetOffset, output.length);
    }

    @Override
    public void close() {
        layers.forEach(KeyValueCache::close);
    }
}
