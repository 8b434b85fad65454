package dev.attune.bench.workload;

import dev.attune.bench.layers.Layer;
import java.util.Locale;

/** What is measured. */
public enum Operation {

    /** {@code KeyValueCache.attend}: scores, softmax and value sums of all heads. */
    DECODE_STEP(true) {
        @Override
        public Workload open(Layer layer, RandomPrompt prompt, int tokens, int threads) {
            return new DecodeStep(layer, prompt, tokens, threads);
        }
    },

    /** Scores of packed keys alone. */
    KEY_SCORES(true) {
        @Override
        public Workload open(Layer layer, RandomPrompt prompt, int tokens, int threads) {
            return new KeyScores(layer, prompt, tokens, threads);
        }
    },

    /** Sums of packed values alone. */
    VALUE_SUMS(true) {
        @Override
        public Workload open(Layer layer, RandomPrompt prompt, int tokens, int threads) {
            return new ValueSums(layer, prompt, tokens, threads);
        }
    },

    /** Pruning and packing the keys of a prompt. */
    PACK_KEYS(false) {
        @Override
        public Workload open(Layer layer, RandomPrompt prompt, int tokens, int threads) {
            return new PackKeys(layer, prompt, tokens, threads);
        }
    },

    /** Pruning and packing the values of a prompt. */
    PACK_VALUES(false) {
        @Override
        public Workload open(Layer layer, RandomPrompt prompt, int tokens, int threads) {
            return new PackValues(layer, prompt, tokens, threads);
        }
    };

    private final boolean dependsOnContext;

    Operation(boolean dependsOnContext) {
        this.dependsOnContext = dependsOnContext;
    }

    /**
     * Returns whether its time per token depends on how many tokens there are, and on how many query heads share a
     * key-value head. What does not is measured once per head dimension.
     */
    public boolean dependsOnContext() {
        return dependsOnContext;
    }

    /**
     * Prepares the operation.
     *
     * @param layer the layer
     * @param prompt tokens of the layer's head dimension
     * @param tokens how many of them, a multiple of 64
     * @param threads threads that share the work
     * @throws OutOfMemoryError if there is not enough memory for the cache
     */
    public abstract Workload open(Layer layer, RandomPrompt prompt, int tokens, int threads);

    /** Returns the name it goes by in options, tables and reports. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
