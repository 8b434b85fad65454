package dev.attune.examples.evaluation;

import dev.attune.examples.linear.ParallelTasks;
import dev.attune.examples.llama.AttentionStep;
import dev.attune.examples.llama.LlamaConfig;
import dev.attune.examples.llama.LlamaModel;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.LayerKernels;
import java.util.Arrays;
import java.util.List;

/** Decodes one sequence on several caches at once: row {@code i} of every step belongs to cache {@code i}. */
public final class CacheBatch implements AutoCloseable {

    private final LlamaModel model;
    private final List<LayerCaches> caches;
    private final AttentionStep step;
    private int tokens;

    /**
     * Creates empty caches.
     *
     * @param kernels one per cache
     * @param promptTokens tokens of the longest prompt
     * @param generatedTokens tokens that are decoded after it at most
     */
    public CacheBatch(LlamaModel model, List<LayerKernels> kernels, int promptTokens, int generatedTokens) {
        this.model = model;
        this.caches = AllOrNone.open(
                kernels.size(),
                cache -> new LayerCaches(model.config(), kernels.get(cache), promptTokens, generatedTokens),
                LayerCaches::close);
        this.step = new Step(model.config());
    }

    /** Replaces what all caches hold by a prompt, each pruned its own way. */
    public void prefill(Prompt prompt) {
        int layers = prompt.layers().size();
        ParallelTasks.run(caches.size() * layers, task -> caches.get(task / layers)
                .prefill(task % layers, prompt.layers().get(task % layers)));
        tokens = prompt.tokens();
    }

    /**
     * Decodes one token per cache.
     *
     * @param next {@code [caches]}, 0 to 255
     * @return logits of the token after it, {@code [caches][256]}
     */
    public float[] decode(int[] next) {
        int[] positions = new int[caches.size()];
        Arrays.fill(positions, tokens);
        tokens++;
        return model.forward(next, positions, step, caches.size());
    }

    /** Returns the number of caches. */
    public int size() {
        return caches.size();
    }

    /** Frees the caches. */
    @Override
    public void close() {
        caches.forEach(LayerCaches::close);
    }

    private final class Step implements AttentionStep {

        private final LlamaConfig config;

        Step(LlamaConfig config) {
            this.config = config;
        }

        @Override
        public void store(int layer, int rows, float[] queriesKeysValues) {
            for (int row = 0; row < rows; row++) {
                caches.get(row).append(layer, queriesKeysValues, row * config.attentionColumns());
            }
        }

        @Override
        public void attend(int layer, int rows, float[] queriesKeysValues, float[] output) {
            ParallelTasks.run(rows, row -> caches.get(row).attend(
                    layer, queriesKeysValues, row * config.attentionColumns(), output, row * config.queryColumns()));
        }
    }
}
