package dev.attune.examples.llama;

import dev.attune.examples.InputException;
import dev.attune.examples.linear.PanelMatrix;
import dev.attune.examples.safetensors.SafetensorsFile;
import dev.attune.examples.safetensors.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The weights of a model, widened to single precision and packed for the matrix products.
 *
 * @param embedding {@code [256][hidden]}
 * @param layers one entry per layer
 * @param finalNorm {@code [hidden]}
 * @param head the output head, {@code hidden -> 256}
 */
record LlamaWeights(float[] embedding, List<Layer> layers, float[] finalNorm, PanelMatrix head) {

    /**
     * One layer. Projections that read the same input are packed side by side, so that each is one product.
     *
     * @param attentionNorm {@code [hidden]}
     * @param attention {@code hidden -> queries | keys | values}
     * @param output {@code queryHeads * headDim -> hidden}
     * @param feedForwardNorm {@code [hidden]}
     * @param gateUp {@code hidden -> gate | up}
     * @param down {@code feedForward -> hidden}
     */
    record Layer(
            float[] attentionNorm,
            PanelMatrix attention,
            PanelMatrix output,
            float[] feedForwardNorm,
            PanelMatrix gateUp,
            PanelMatrix down) {}

    /** Reads {@code model.safetensors}; every tensor in it must be one the forward pass uses. */
    static LlamaWeights read(Path path, LlamaConfig config) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Source source = new Source(file, new TreeSet<>(file.names()));
            int hidden = config.hidden();
            float[] embedding = source.floats("model.embed_tokens.weight", LlamaConfig.VOCABULARY, hidden);
            List<Layer> layers = new ArrayList<>();
            for (int layer = 0; layer < config.layers(); layer++) {
                layers.add(layer(source, layer, config));
            }
            float[] finalNorm = source.floats("model.norm.weight", hidden);
            float[] head = embedding;
            if (config.tiedHead()) {
                source.unread.remove("lm_head.weight");
            } else {
                head = source.floats("lm_head.weight", LlamaConfig.VOCABULARY, hidden);
            }
            source.unread.removeIf(name -> name.endsWith("rotary_emb.inv_freq"));
            if (!source.unread.isEmpty()) {
                throw new InputException(path + " has the tensor " + source.unread.iterator().next()
                        + ", which a Llama-architecture model of " + config.layers()
                        + " layers does not use; use the config.json that was saved with these weights");
            }
            return new LlamaWeights(embedding, List.copyOf(layers), finalNorm, PanelMatrix.ofRows(hidden, head));
        }
    }

    private static Layer layer(Source source, int layer, LlamaConfig config) {
        String prefix = "model.layers." + layer + ".";
        int hidden = config.hidden();
        int feedForward = config.feedForward();
        return new Layer(
                source.floats(prefix + "input_layernorm.weight", hidden),
                PanelMatrix.ofRows(
                        hidden,
                        source.projection(prefix, "self_attn.", "q_proj", config.queryColumns(), hidden),
                        source.projection(prefix, "self_attn.", "k_proj", config.keyColumns(), hidden),
                        source.projection(prefix, "self_attn.", "v_proj", config.keyColumns(), hidden)),
                PanelMatrix.ofRows(
                        config.queryColumns(),
                        source.projection(prefix, "self_attn.", "o_proj", hidden, config.queryColumns())),
                source.floats(prefix + "post_attention_layernorm.weight", hidden),
                PanelMatrix.ofRows(
                        hidden,
                        source.projection(prefix, "mlp.", "gate_proj", feedForward, hidden),
                        source.projection(prefix, "mlp.", "up_proj", feedForward, hidden)),
                PanelMatrix.ofRows(
                        feedForward, source.projection(prefix, "mlp.", "down_proj", hidden, feedForward)));
    }

    /** The file, and the tensors nobody has asked for yet. */
    private record Source(SafetensorsFile file, Set<String> unread) {

        float[] floats(String name, int... shape) {
            Tensor tensor = file.tensor(name);
            unread.remove(name);
            return tensor.floats(shape);
        }

        /** Reads a projection, with the name of its block in front as published models have it, or without. */
        float[] projection(String layer, String block, String name, int out, int in) {
            String full = layer + block + name + ".weight";
            return floats(unread.contains(full) ? full : layer + name + ".weight", out, in);
        }
    }
}
