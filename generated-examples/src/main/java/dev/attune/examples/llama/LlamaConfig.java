package dev.attune.examples.llama;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.attune.examples.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The numbers of a {@code config.json}.
 *
 * @param layers {@code num_hidden_layers}
 * @param hidden {@code hidden_size}
 * @param feedForward {@code intermediate_size}
 * @param queryHeads {@code num_attention_heads}
 * @param keyValueHeads {@code num_key_value_heads}, the number of query heads if absent
 * @param headDim {@code head_dim}, {@code hidden / queryHeads} if absent
 * @param ropeTheta {@code rope_theta}
 * @param normEpsilon {@code rms_norm_eps}
 * @param context {@code max_position_embeddings}
 * @param tiedHead {@code tie_word_embeddings}: whether the output head is the embedding
 */
public record LlamaConfig(
        int layers,
        int hidden,
        int feedForward,
        int queryHeads,
        int keyValueHeads,
        int headDim,
        double ropeTheta,
        double normEpsilon,
        int context,
        boolean tiedHead) {

    /** Size of the vocabulary: tokens are bytes. */
    public static final int VOCABULARY = 256;

    /** Returns the columns of one row of queries, keys and values side by side. */
    public int attentionColumns() {
        return (queryHeads + 2 * keyValueHeads) * headDim;
    }

    /** Returns the columns of all query heads. */
    public int queryColumns() {
        return queryHeads * headDim;
    }

    /** Returns the columns of all key heads, or of all value heads. */
    public int keyColumns() {
        return keyValueHeads * headDim;
    }

    /**
     * Reads a {@code config.json}.
     *
     * @throws InputException if it is missing, not JSON, or describes a model that the forward pass does not compute
     */
    public static LlamaConfig read(Path path) {
        JsonNode json;
        try {
            json = new ObjectMapper().readTree(Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new InputException(path + " does not exist; a model directory holds model.safetensors and"
                    + " config.json", e);
        } catch (JacksonException e) {
            throw new InputException(path + " is not JSON: " + e.getOriginalMessage() + "; save it again", e);
        } catch (IOException e) {
            throw new InputException(path + " cannot be read: " + e.getMessage(), e);
        }
        Fields fields = new Fields(path, json);
        fields.refuse("rope_scaling");
        fields.refuse("attention_bias");
        fields.refuse("mlp_bias");
        int vocabulary = fields.positive("vocab_size");
        if (vocabulary != VOCABULARY) {
            throw new InputException(path + ": vocab_size = " + vocabulary
                    + "; the demo reads bytes and needs a model with a vocabulary of 256");
        }
        int hidden = fields.positive("hidden_size");
        int queryHeads = fields.positive("num_attention_heads");
        int keyValueHeads = fields.positive("num_key_value_heads", queryHeads);
        int headDim = fields.positive("head_dim", hidden / queryHeads);
        if (queryHeads % keyValueHeads != 0) {
            throw new InputException(path + ": num_attention_heads = " + queryHeads
                    + " is not a multiple of num_key_value_heads = " + keyValueHeads);
        }
        if (headDim % 2 != 0) {
            throw new InputException(path + ": head_dim = " + headDim + " is odd; rotary embeddings pair channels");
        }
        return new LlamaConfig(
                fields.positive("num_hidden_layers"),
                hidden,
                fields.positive("intermediate_size"),
                queryHeads,
                keyValueHeads,
                headDim,
                fields.positiveNumber("rope_theta", 10_000),
                fields.positiveNumber("rms_norm_eps", 1e-6),
                fields.positive("max_position_embeddings", 4096),
                json.path("tie_word_embeddings").asBoolean(false));
    }

    /** Reads fields with messages that name the file, the field and the value. */
    private record Fields(Path path, JsonNode json) {

        int positive(String name) {
            JsonNode value = json.path(name);
            if (!value.canConvertToInt() || value.asInt() < 1) {
                throw new InputException(path + ": " + name + " = " + shown(value) + ", expected a positive integer");
            }
            return value.asInt();
        }

        int positive(String name, int absent) {
            return json.hasNonNull(name) ? positive(name) : absent;
        }

        double positiveNumber(String name, double absent) {
            JsonNode value = json.path(name);
            if (!json.hasNonNull(name)) {
                return absent;
            }
            if (!value.isNumber() || !(value.asDouble() > 0)) {
                throw new InputException(path + ": " + name + " = " + shown(value) + ", expected a positive number");
            }
            return value.asDouble();
        }

        /** Refuses a setting that would change the mathematics: ignoring it would give wrong numbers silently. */
        void refuse(String name) {
            if (json.hasNonNull(name) && !json.path(name).equals(BooleanNode.FALSE)) {
                throw new InputException(path + ": " + name + " = " + shown(json.path(name))
                        + " is not supported; use a model without it");
            }
        }

        private static String shown(JsonNode value) {
            return value.isMissingNode() ? "(missing)" : value.toString();
        }
    }
}
