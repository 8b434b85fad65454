package dev.attune.examples.evaluation;

import dev.attune.examples.llama.LlamaModel;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.LayerKernels;
import java.util.Arrays;
import java.util.List;

/** Whether the model still finds a fact in a pruned prompt. */
public final class NeedleEvaluation {

    private NeedleEvaluation() {}

    /**
     * Returns how many answers each cache gives exactly, decoding greedily.
     *
     * @param kernels one per cache
     * @return {@code [caches]}
     */
    public static int[] exactAnswers(
            LlamaModel model, NeedleFile file, List<LayerKernels> kernels, Progress.Part progress) {
        int longestPrompt = file.needles().stream().mapToInt(needle -> needle.prompt().length).max().orElseThrow();
        int longestAnswer = file.needles().stream().mapToInt(needle -> needle.answer().length).max().orElseThrow();
        int[] exact = new int[kernels.size()];
        try (CacheBatch caches =
                new CacheBatch(model, kernels, longestPrompt, NeedleFile.DECODED + longestAnswer)) {
            for (NeedleFile.Needle needle : file.needles()) {
                boolean[] right = answers(model, needle, caches);
                for (int cache = 0; cache < exact.length; cache++) {
                    exact[cache] += right[cache] ? 1 : 0;
                }
                progress.step();
            }
        }
        return exact;
    }

    private static boolean[] answers(LlamaModel model, NeedleFile.Needle needle, CacheBatch caches) {
        int pruned = needle.prompt().length - NeedleFile.DECODED;
        caches.prefill(Prompt.prefill(model, HeldOutText.tokens(needle.prompt(), 0, pruned)));
        int[] next = new int[caches.size()];
        float[] logits = {};
        for (int i = pruned; i < needle.prompt().length; i++) {
            Arrays.fill(next, needle.prompt()[i] & 0xFF);
            logits = caches.decode(next);
        }
        boolean[] right = new boolean[caches.size()];
        Arrays.fill(right, true);
        for (int i = 0; i < needle.answer().length; i++) {
            for (int cache = 0; cache < right.length; cache++) {
                next[cache] = Logits.greedy(logits, cache);
                right[cache] &= next[cache] == (needle.answer()[i] & 0xFF);
            }
            if (i < needle.answer().length - 1) {
                logits = caches.decode(next);
            }
        }
        return right;
    }
}
