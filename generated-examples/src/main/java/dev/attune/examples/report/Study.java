package dev.attune.examples.report;

import dev.attune.examples.evaluation.CacheResult;
import dev.attune.examples.evaluation.DecodeTiming;
import dev.attune.examples.evaluation.Evaluation;
import dev.attune.examples.evaluation.HeldOutText;
import dev.attune.examples.llama.LlamaConfig;
import java.util.List;

/**
 * What a report tells: the results, and what must be known to judge them.
 *
 * @param model the model's name
 * @param evaluation what was run
 * @param results one per cache
 * @param machine where
 */
public record Study(String model, Evaluation evaluation, List<CacheResult> results, Machine machine) {

    /** Copies the list. */
    public Study {
        results = List.copyOf(results);
    }

    /** Returns the model's name and numbers in one line. */
    public String modelLine() {
        LlamaConfig config = evaluation.model().config();
        return model + ": " + config.layers() + " layers, " + config.queryHeads() + " query heads, "
                + config.keyValueHeads() + " key-value heads of " + config.headDim() + " channels";
    }

    /** Returns how each column was measured, one sentence or two per line. */
    public List<String> method() {
        StringBuilder prompts = new StringBuilder();
        evaluation.needles().forEach(file -> prompts
                .append(prompts.isEmpty() ? "" : ", ")
                .append(file.needles().size()).append(" of ").append(file.name()));
        return List.of(
                "Every prompt is prefilled once with dense attention; then each cache prunes all of it and decodes"
                        + " on what is left. Tokens decoded after the prompt stay dense.",
                "nats/byte: " + evaluation.passages() + " held-out passages, " + HeldOutText.PROMPT
                        + " bytes pruned, the next " + HeldOutText.FED + " predicted. Lower is better.",
                "needle: exact answers to " + prompts + " prompts, greedy decoding.",
                "decode us: one decode step of one layer's attention (layer " + evaluation.timedLayer()
                        + ", all heads) over " + DecodeTiming.TABLE_CONTEXT
                        + " tokens, one thread; median of rounds in which the caches take turns.",
                "B/token/head: keys and values with indices, signs, amplitudes, means and scales, over the tokens"
                        + " and key-value heads of that cache.");
    }
}
