package dev.attune.examples.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.examples.safetensors.SafetensorsFile;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ForwardPassTest {

    @Test
    void agreesWithTheLogitsOfTheReferenceImplementation() throws URISyntaxException {
        LlamaModel model = LlamaModel.read(resource("config.json").getParent());
        try (SafetensorsFile reference = SafetensorsFile.open(resource("forward.safetensors"))) {
            int[] ids = reference.tensor("ids").ints();
            float[] expected = reference.tensor("logits_last64").floats(64, 256);

            float[] actual = Prompt.logits(model, ids, 64);

            double largest = 0;
            double product = 0;
            double expectedSquares = 0;
            double actualSquares = 0;
            for (int i = 0; i < expected.length; i++) {
                largest = Math.max(largest, Math.abs(expected[i] - actual[i]));
                product += (double) expected[i] * actual[i];
                expectedSquares += (double) expected[i] * expected[i];
                actualSquares += (double) actual[i] * actual[i];
            }
            assertTrue(largest < 1e-3, "largest difference of a logit: " + largest);
            assertEquals(1, product / Math.sqrt(expectedSquares * actualSquares), 1e-7);
        }
    }

    @Test
    void prefillKeepsWhatACacheNeedsOfEveryLayer() throws URISyntaxException {
        LlamaModel model = LlamaModel.read(resource("config.json").getParent());
        int[] tokens = new int[50];
        Arrays.setAll(tokens, i -> 'a' + i % 26);

        Prompt prompt = Prompt.prefill(model, tokens);
        Prompt longer = Prompt.prefill(model, Arrays.copyOf(tokens, 60));

        assertEquals(4, prompt.layers().size());
        Prompt.Layer last = prompt.layers().getLast();
        assertEquals(2 * 50 * 128, last.keys().length);
        assertEquals(2 * 50 * 128, last.values().length);
        assertEquals(4 * 32 * 128, last.windowQueries().length);
        // Causal: what comes later does not change a token's key.
        float[] key = Arrays.copyOfRange(last.keys(), 49 * 128, 50 * 128);
        float[] sameKey = Arrays.copyOfRange(longer.layers().getLast().keys(), 49 * 128, 50 * 128);
        assertArrayEquals(key, sameKey, 1e-4f);
    }

    /** config.json is among the main resources, forward.safetensors among those of the tests. */
    private static Path resource(String name) throws URISyntaxException {
        return Path.of(ForwardPassTest.class.getResource("/dev/attune/examples/byte-lm/" + name).toURI());
    }
}
