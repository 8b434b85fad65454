package dev.attune.examples.llama;

import java.util.List;

/**
 * What prefilling leaves behind: what a cache needs of every layer.
 *
 * @param tokens number of tokens
 * @param layers one entry per layer
 */
public record Prompt(int tokens, List<Layer> layers) {

    /** Positions of the observation window: the prompt's last queries. */
    public static final int WINDOW = 32;

    /**
     * One layer; all post-RoPE.
     *
     * @param keys {@code [keyValueHeads][tokens][headDim]}
     * @param values {@code [keyValueHeads][tokens][headDim]}
     * @param windowQueries {@code [queryHeads][min(32, tokens)][headDim]}, of the last positions
     */
    public record Layer(float[] keys, float[] values, float[] windowQueries) {}

    /** Runs a model over a prompt with dense causal attention, without computing logits. */
    public static Prompt prefill(LlamaModel model, int[] tokens) {
        PrefillStep step = new PrefillStep(model.config());
        model.forward(tokens, PrefillStep.positions(tokens.length), step, 0);
        return new Prompt(tokens.length, step.layers());
    }

    /**
     * Runs a model over a prompt with dense causal attention.
     *
     * @return the logits of the last {@code rows} tokens, {@code [rows][256]}
     */
    public static float[] logits(LlamaModel model, int[] tokens, int rows) {
        return model.forward(
                tokens, PrefillStep.positions(tokens.length), new PrefillStep(model.config()), rows);
    }
}
