package dev.attune.examples;

import dev.attune.examples.evaluation.CacheCatalogue;
import dev.attune.examples.evaluation.CacheResult;
import dev.attune.examples.evaluation.Continuation;
import dev.attune.examples.evaluation.Evaluation;
import dev.attune.examples.evaluation.HeldOutText;
import dev.attune.examples.evaluation.NeedleFile;
import dev.attune.examples.llama.LlamaModel;
import dev.attune.examples.report.AtomicFile;
import dev.attune.examples.report.HtmlReport;
import dev.attune.examples.report.JsonReport;
import dev.attune.examples.report.Machine;
import dev.attune.examples.report.ResultTable;
import dev.attune.examples.report.Study;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.Rung;
import java.io.Console;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** One run: reads the inputs, evaluates, prints, writes the reports, and lets the model speak. */
final class DemoRun {

    private static final int PROTOCOL_PASSAGES = 24;
    private static final int DEFAULT_PROMPTS = 12;
    private static final String SPEAKING_CACHE = "k0.8-centred+v0.8";
    private static final int SPOKEN_BYTES = 400;
    private static final int SHOWN_PROMPT_BYTES = 190;

    private final Demo options;
    private final PrintWriter out;
    private final PrintWriter errors;
    private final Ansi ansi;

    DemoRun(Demo options, CommandLine command) {
        this.options = options;
        this.out = command.getOut();
        this.errors = command.getErr();
        this.ansi = command.getColorScheme().ansi();
    }

    void run() {
        Evaluation evaluation = evaluation();
        List<LayerKernels> kernels = evaluation.kernels();
        warn(evaluation.beyondContext());
        requireWritableTargets();
        String name = options.model == null ? ShippedModel.NAME : options.model.toString();
        Machine machine = Machine.here();
        printHead(new Study(name, evaluation, List.of(), machine), kernels);
        List<CacheResult> results = evaluation.run(kernels, new TerminalProgress(terminal(), errors));
        Study study = new Study(name, evaluation, results, machine);
        printTable(study);
        speak(evaluation);
        writeReports(study);
        out.flush();
    }

    private Evaluation evaluation() {
        requirePositive("--prompts", options.prompts);
        requirePositive("--passages", options.passages);
        var choices = CacheCatalogue.parse(options.caches);
        Path shipped = ShippedModel.directory();
        List<Path> needlePaths = options.needles != null
                ? options.needles
                : ShippedModel.NEEDLES.stream().map(shipped::resolve).toList();
        List<NeedleFile> needles = needlePaths.stream().map(NeedleFile::read).map(this::some).toList();
        HeldOutText text =
                HeldOutText.read(options.heldout != null ? options.heldout : shipped.resolve(ShippedModel.TEXT));
        int passages = Math.min(PROTOCOL_PASSAGES, text.passages());
        if (options.passages != null) {
            text.require(options.passages);
            passages = options.passages;
        }
        LlamaModel model = LlamaModel.read(options.model != null ? options.model : shipped);
        return new Evaluation(model, text, passages, needles, choices);
    }

    private static void requirePositive(String option, Integer value) {
        if (value != null && value < 1) {
            throw new InputException(option + " = " + value + " is less than 1; ask for at least one");
        }
    }

    /** Returns as many prompts of a file as were asked for, and says so if it has fewer. */
    private NeedleFile some(NeedleFile file) {
        int held = file.needles().size();
        if (options.prompts != null && options.prompts > held) {
            warn(List.of(file.name() + " has " + held + " prompts, fewer than --prompts "
                    + options.prompts + "; using all of them"));
        }
        if (options.prompts != null) {
            return file.first(options.prompts);
        }
        return options.all ? file : file.first(DEFAULT_PROMPTS);
    }

    private void warn(List<String> messages) {
        messages.forEach(message -> errors.println("demo: " + message));
        errors.flush();
    }

    /** Fails now rather than after the evaluation if a report cannot be written. */
    private void requireWritableTargets() {
        AtomicFile.requireWritable("--report", page());
        AtomicFile.requireWritable("--report", rowsAndMethod());
        if (options.json != null) {
            AtomicFile.requireWritable("--json", options.json);
        }
    }

    private Path page() {
        return options.report.resolve("report.html");
    }

    private Path rowsAndMethod() {
        return options.report.resolve("report.json");
    }

    private void printHead(Study study, List<LayerKernels> kernels) {
        out.println(bold("Attune") + ": attention over channel-pruned caches, on kernels generated by javac");
        out.println(study.modelLine());
        out.println(study.machine().line());
        out.println();
        printChoices(kernels);
        out.println();
        out.flush();
    }

    /** Every cache's kernels and where the choice came from; one line for all that share both. */
    private void printChoices(List<LayerKernels> kernels) {
        Map<String, List<String>> choices = new LinkedHashMap<>();
        for (LayerKernels each : kernels) {
            Rung chosen = each.ladder().stream().filter(Rung::chosen).findFirst().orElseThrow();
            choices.computeIfAbsent(chosen.toString(), first -> new ArrayList<>())
                    .add(each.specification().getSimpleName());
        }
        choices.forEach((choice, caches) -> out.println("kernels of "
                + (choices.size() == 1 ? "all caches" : String.join(", ", caches)) + ": " + choice));
        out.println("measurements are looked up in " + kernels.getFirst().store());
    }

    private void printTable(Study study) {
        out.println();
        List<String> lines = ResultTable.of(study.results()).lines();
        for (int i = 0; i < lines.size(); i++) {
            out.println(i == 0 ? bold(lines.get(i)) : lines.get(i));
        }
        out.println();
        study.method().forEach(out::println);
        out.println();
        out.flush();
    }

    /** Continues a held-out text, so that the reader sees what the numbers mean. */
    private void speak(Evaluation evaluation) {
        HeldOutText text = evaluation.text();
        int passage = text.passages() - 1;
        int[] prompt = text.tokens(passage, 0, HeldOutText.PROMPT);
        LayerKernels kernels =
                CacheCatalogue.named(SPEAKING_CACHE).kernels(evaluation.model().config());
        out.println(bold("A held-out text, and how the model continues it on the cache " + SPEAKING_CACHE + ":"));
        out.println();
        TextStream stream = new TextStream(out);
        for (int i = prompt.length - SHOWN_PROMPT_BYTES; i < prompt.length; i++) {
            stream.write(prompt[i]);
        }
        stream.mark(bold(">>"));
        Continuation.decode(evaluation.model(), kernels, prompt, SPOKEN_BYTES, stream::write);
        out.println();
        out.println();
    }

    private void writeReports(Study study) {
        AtomicFile.write(page(), HtmlReport.page(study));
        AtomicFile.write(rowsAndMethod(), JsonReport.report(study));
        out.println("report: " + page());
        if (options.json != null) {
            AtomicFile.write(options.json, JsonReport.rows(study));
            out.println("rows:   " + options.json);
        }
    }

    private String bold(String text) {
        return ansi.enabled() ? "\u001b[1m" + text + "\u001b[22m" : text;
    }

    private static boolean terminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }
}
