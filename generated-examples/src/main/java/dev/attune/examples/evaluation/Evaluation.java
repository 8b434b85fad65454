package dev.attune.examples.evaluation;

import dev.attune.examples.llama.LlamaModel;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.LayerKernels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A comparison of caches on one model.
 *
 * @param model the model
 * @param text held-out text
 * @param passages passages of it to use
 * @param needles the prompts to use, at least one file
 * @param choices the caches
 */
public record Evaluation(
        LlamaModel model, HeldOutText text, int passages, List<NeedleFile> needles, List<CacheChoice> choices) {

    /** How long the attention step runs untimed at each context length, and how long it is timed. */
    private static final Duration WARM_UP = Duration.ofMillis(700);
    private static final Duration MEASURED = Duration.ofMillis(1800);

    /** Copies the lists. */
    public Evaluation {
        needles = List.copyOf(needles);
        choices = List.copyOf(choices);
    }

    /** Returns the layer whose keys, values and queries the decode step is timed on: one in the middle. */
    public int timedLayer() {
        return model.config().layers() / 2;
    }

    /** Returns the kernels of every cache, and fails if they do not fit the model. */
    public List<LayerKernels> kernels() {
        return choices.stream().map(choice -> choice.kernels(model.config())).toList();
    }

    /** Returns a warning for each input that needs more positions than the model was made for. */
    public List<String> beyondContext() {
        List<String> warnings = new ArrayList<>();
        warnIfBeyond(warnings, "held-out passages of " + text.path(), HeldOutText.PROMPT + HeldOutText.FED);
        for (NeedleFile file : needles) {
            warnIfBeyond(warnings, "prompts of " + file.name(), file.positions());
        }
        return warnings;
    }

    private void warnIfBeyond(List<String> warnings, String what, int positions) {
        int context = model.config().context();
        if (positions > context) {
            warnings.add("warning: " + what + " take up to " + positions + " positions, but the model's"
                    + " max_position_embeddings = " + context + "; scores beyond it say little about pruning");
        }
    }

    /**
     * Runs everything.
     *
     * @param kernels the kernels of every cache
     * @return one result per cache, in their order
     */
    public List<CacheResult> run(List<LayerKernels> kernels, Progress progress) {
        double[] nats;
        try (Progress.Part part = progress.start("held-out text", passages)) {
            nats = LikelihoodEvaluation.natsPerByte(model, text, passages, kernels, part);
        }
        List<int[]> exact = new ArrayList<>();
        for (NeedleFile file : needles) {
            try (Progress.Part part = progress.start(file.name(), file.needles().size())) {
                exact.add(NeedleEvaluation.exactAnswers(model, file, kernels, part));
            }
        }
        List<List<DecodeTiming.Sample>> samples = new ArrayList<>();
        try (Progress.Part part = progress.start("decode time", DecodeTiming.CONTEXTS.size())) {
            Prompt.Layer layer = timedPrompt();
            for (int context : DecodeTiming.CONTEXTS) {
                samples.add(DecodeTiming.measure(model.config(), layer, context, kernels, WARM_UP, MEASURED));
                part.step();
            }
        }
        List<CacheResult> results = new ArrayList<>();
        for (int cache = 0; cache < choices.size(); cache++) {
            results.add(new CacheResult(
                    choices.get(cache), kernels.get(cache), nats[cache],
                    scores(exact, cache), timings(samples, cache)));
        }
        return results;
    }

    private Prompt.Layer timedPrompt() {
        int tokens = Math.min(text.bytes().length, Math.min(DecodeTiming.TABLE_CONTEXT, model.config().context()));
        return Prompt.prefill(model, HeldOutText.tokens(text.bytes(), 0, tokens)).layers().get(timedLayer());
    }

    private List<NeedleScore> scores(List<int[]> exact, int cache) {
        List<NeedleScore> scores = new ArrayList<>();
        for (int file = 0; file < needles.size(); file++) {
            NeedleFile each = needles.get(file);
            scores.add(new NeedleScore(each.name(), exact.get(file)[cache], each.needles().size()));
        }
        return scores;
    }

    private static List<CacheResult.Timing> timings(List<List<DecodeTiming.Sample>> samples, int cache) {
        List<CacheResult.Timing> timings = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            timings.add(new CacheResult.Timing(DecodeTiming.CONTEXTS.get(i), samples.get(i).get(cache)));
        }
        return timings;
    }
}
