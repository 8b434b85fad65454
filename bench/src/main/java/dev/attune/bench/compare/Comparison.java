package dev.attune.bench.compare;

import dev.attune.bench.layers.Layer;
import dev.attune.bench.workload.Operation;
import java.util.List;

/**
 * What is measured in the same rounds: one operation on layers that differ in pruning and format only.
 *
 * @param operation the operation
 * @param headDim channels of a head
 * @param groupSize query heads per key-value head
 * @param contextTokens tokens in the caches
 * @param threads threads that share the work
 * @param layers the layers; dense bfloat16 is always among them
 */
public record Comparison(
        Operation operation, int headDim, int groupSize, int contextTokens, int threads, List<Layer> layers) {

    /** Copies the layers. */
    public Comparison {
        layers = List.copyOf(layers);
    }

    /** Returns the index of the dense bfloat16 layer. */
    public int baseline() {
        for (int i = 0; i < layers.size(); i++) {
            if (layers.get(i).isBaseline()) {
                return i;
            }
        }
        throw new IllegalStateException("dense bfloat16 is not among the layers, so there is nothing to compare with");
    }

    /** Returns for example {@code decode-step, d = 128, G = 4, 32k tokens, 1 thread}. */
    public String title() {
        String group = operation.dependsOnContext() ? ", G = " + groupSize : "";
        return operation + ", d = " + headDim + group + ", " + tokens() + " tokens, " + threads
                + (threads == 1 ? " thread" : " threads");
    }

    private String tokens() {
        return contextTokens % 1024 == 0 ? contextTokens / 1024 + "k" : Integer.toString(contextTokens);
    }
}
