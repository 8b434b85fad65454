package dev.attune.examples.evaluation;

import dev.attune.examples.llama.LlamaModel;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.LayerKernels;
import java.util.Arrays;
import java.util.List;

/** How well the model predicts held-out text on each cache. */
public final class LikelihoodEvaluation {

    private LikelihoodEvaluation() {}

    /**
     * Returns the mean negative log-likelihood of the bytes after the pruned prompts, in nats per byte.
     *
     * @param passages how many passages to use, from the first on
     * @param kernels one per cache
     * @return {@code [caches]}
     */
    public static double[] natsPerByte(
            LlamaModel model, HeldOutText text, int passages, List<LayerKernels> kernels, Progress.Part progress) {
        double[] nats = new double[kernels.size()];
        try (CacheBatch caches = new CacheBatch(model, kernels, HeldOutText.PROMPT, HeldOutText.FED)) {
            for (int passage = 0; passage < passages; passage++) {
                caches.prefill(Prompt.prefill(model, text.tokens(passage, 0, HeldOutText.PROMPT)));
                int[] fed = text.tokens(passage, HeldOutText.PROMPT, HeldOutText.FED + 1);
                for (int i = 0; i < HeldOutText.FED; i++) {
                    int[] next = new int[caches.size()];
                    Arrays.fill(next, fed[i]);
                    float[] logits = caches.decode(next);
                    for (int cache = 0; cache < nats.length; cache++) {
                        nats[cache] += Logits.negativeLogLikelihood(logits, cache, fed[i + 1]);
                    }
                }
                progress.step();
            }
        }
        for (int cache = 0; cache < nats.length; cache++) {
            nats[cache] /= (double) passages * HeldOutText.FED;
        }
        return nats;
    }
}
