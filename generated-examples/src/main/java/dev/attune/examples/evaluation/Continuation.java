package dev.attune.examples.evaluation;

import dev.attune.examples.llama.LlamaModel;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.LayerKernels;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntConsumer;

/** Continues a text on a pruned cache, drawing each byte at a low temperature from a seeded generator. */
public final class Continuation {

    private static final double TEMPERATURE = 0.6;
    private static final long SEED = 7;

    private Continuation() {}

    /**
     * Decodes {@code count} bytes after the prompt.
     *
     * @param prompt at least two tokens; all but the last are pruned
     * @param reader is given every byte as soon as it is known
     */
    public static void decode(LlamaModel model, LayerKernels kernels, int[] prompt, int count, IntConsumer reader) {
        Random random = new Random(SEED);
        int pruned = prompt.length - 1;
        int[] head = Arrays.copyOf(prompt, pruned);
        try (CacheBatch cache = new CacheBatch(model, List.of(kernels), pruned, count + 1)) {
            cache.prefill(Prompt.prefill(model, head));
            int next = prompt[pruned];
            for (int i = 0; i < count; i++) {
                next = Logits.sample(cache.decode(new int[] {next}), TEMPERATURE, random.nextDouble());
                reader.accept(next);
            }
        }
    }
}
