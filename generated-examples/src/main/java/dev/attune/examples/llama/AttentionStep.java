package dev.attune.examples.llama;

/**
 * What the forward pass leaves open: where a row's keys and values go, and which tokens its queries see. Prefilling
 * and decoding differ in nothing else.
 *
 * <p>Rows hold post-RoPE queries, keys and values side by side:
 * {@code [rows][queryHeads * headDim | keyValueHeads * headDim | keyValueHeads * headDim]}.
 */
public interface AttentionStep {

    /** Takes in the keys and values of some rows; called once per layer, before {@link #attend}. */
    void store(int layer, int rows, float[] queriesKeysValues);

    /**
     * Computes the attention output of the rows just stored. Not called for the last layer of a pass that asked for
     * no logits.
     *
     * @param output {@code [rows][queryHeads * headDim]}, overwritten
     */
    void attend(int layer, int rows, float[] queriesKeysValues, float[] output);
}
