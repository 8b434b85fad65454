package dev.attune.examples.evaluation;

import dev.attune.examples.InputException;
import dev.attune.examples.llama.LlamaConfig;
import dev.attune.runtime.Attune;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.spi.LayerShape;

/**
 * A cache that can be evaluated.
 *
 * @param name what it is called in tables and on the command line
 * @param specification the annotated interface its kernels were generated from
 * @param description what is pruned, in a few words
 */
public record CacheChoice(String name, Class<?> specification, String description) {

    /**
     * Returns the kernels, on the backend the runtime chooses.
     *
     * @throws InputException if a backend is forced that is unavailable, or the model's heads are not those of the
     *     specification
     */
    public LayerKernels kernels(LlamaConfig config) {
        LayerKernels kernels;
        try {
            kernels = Attune.kernels(specification);
        } catch (IllegalStateException | IllegalArgumentException e) {
            // The property attune.backend names none, or one that is unavailable; the message says which and why.
            throw new InputException(e.getMessage(), e);
        }
        LayerShape shape = kernels.shape();
        if (shape.queryHeads() != config.queryHeads()
                || shape.keyValueHeads() != config.keyValueHeads()
                || shape.headDim() != config.headDim()) {
            throw new InputException("config.json: heads/kv heads/head dim = "
                    + heads(config.queryHeads(), config.keyValueHeads(), config.headDim()) + ", but "
                    + specification.getSimpleName() + " and the other caches of the evaluation are generated for "
                    + heads(shape.queryHeads(), shape.keyValueHeads(), shape.headDim())
                    + "; use such a model, or change the @AttentionSpec of dev.attune.examples.bytelm and rebuild");
        }
        return kernels;
    }

    private static String heads(int queryHeads, int keyValueHeads, int headDim) {
        return queryHeads + "/" + keyValueHeads + "/" + headDim;
    }
}
