package dev.attune.examples;

import dev.attune.examples.evaluation.CacheCatalogue;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line: compares channel-pruned caches with a dense one on a trained byte-level language model. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        version = "Attune demo 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "Usage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        description = {
            "Compares channel-pruned key-value caches with a dense one on a trained byte-level language model:"
                    + " accuracy on held-out text, retrieval of a needle in a haystack, bytes, and decode time.",
            "Every prompt is prefilled once; then all caches prune it and decode on what is left."
        },
        footer = {
            "  demo                                    the shipped model, in about a minute",
            "  demo --all --caches all                 everything, in some minutes",
            "  demo --model DIR --needles A.jsonl --heldout TEXT.txt --json rows.json",
            "",
            "Exit codes: 0 done, 2 an option or an input file is unusable, 1 anything else."
        })
public final class Demo implements Callable<Integer> {

    private static final int UNUSABLE = 2;

    /** Held strongly: java.util.logging forgets the level of a logger nobody holds. */
    private static final Logger RUNTIME_LOG = Logger.getLogger("dev.attune");

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "Directory with model.safetensors and config.json of a Llama-architecture model over bytes"
                    + " (default: byte-lm, shipped).")
    Path model;

    @Option(
            names = "--needles",
            paramLabel = "FILE.jsonl",
            description = "Prompts that hide a fact, one {\"prompt\": ..., \"answer\": ...} per line. May be repeated"
                    + " (default: needle-1024 and needle-4096, shipped).")
    List<Path> needles;

    @Option(
            names = "--heldout",
            paramLabel = "FILE.txt",
            description = "Text the model was not trained on (default: novels, shipped).")
    Path heldout;

    @Option(
            names = "--caches",
            paramLabel = "LIST",
            description = {
                "Names separated by commas, or all. Known:",
                "  dense k0.5 k0.8 k0.8-rms k0.9 k0.8-zero",
                "  k0.8+v0.8 k0.9+v0.9",
                "  k0.8-centred k0.9-centred",
                "  k0.8-centred+v0.8 k0.9-centred+v0.9",
                "  k0.8-centred+v0.8-f16",
                "  k0.8-centred+v0.8-int8 k0.8-centred+v0.8-int4",
                "Default: dense, k0.8, k0.8-centred, k0.8-zero,",
                "  k0.8-centred+v0.8 and k0.9-centred+v0.9."
            })
    String caches = CacheCatalogue.DEFAULT;

    @Option(
            names = "--prompts",
            paramLabel = "N",
            description = "Prompts of each needle file, from its start (default: 12).")
    Integer prompts;

    @Option(
            names = "--passages",
            paramLabel = "N",
            description = "Passages of the held-out text, every 16000 bytes (default: 24, or as many as it holds).")
    Integer passages;

    @Option(names = "--all", description = "All prompts and all of the 24 passages.")
    boolean all;

    @Option(names = "--json", paramLabel = "FILE", description = "Also write the rows as a JSON array.")
    Path json;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description = "Where report.html and report.json go (default: ${DEFAULT-VALUE}).")
    Path report = Path.of("target", "attune-report");

    @Spec
    CommandSpec spec;

    /** Runs the demo and exits. */
    public static void main(String[] arguments) {
        // Charts are drawn without a screen.
        System.setProperty("java.awt.headless", "true");
        System.exit(commandLine().execute(arguments));
    }

    /** Returns the command line, with one line per error instead of a stack trace. */
    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new Demo());
        commandLine.setParameterExceptionHandler(Demo::badParameter);
        commandLine.setExecutionExceptionHandler((exception, command, result) -> {
            if (exception instanceof InputException) {
                return fail(command, exception.getMessage());
            }
            throw exception;
        });
        return commandLine;
    }

    private static int badParameter(ParameterException exception, String[] arguments) {
        String message = exception.getMessage().lines().findFirst().orElse("an option is unusable");
        return fail(exception.getCommandLine(), message + "; --help lists the options");
    }

    private static int fail(CommandLine command, String message) {
        PrintWriter errors = command.getErr();
        errors.println(command.getColorScheme().errorText("demo: ") + message);
        errors.flush();
        return UNUSABLE;
    }

    @Override
    public Integer call() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            throw new InputException("the model is computed by the Vector API, but this JVM runs without the module"
                    + " jdk.incubator.vector; add --add-modules jdk.incubator.vector to the java command");
        }
        // The demo prints the choice of backends itself.
        RUNTIME_LOG.setLevel(Level.WARNING);
        new DemoRun(this, spec.commandLine()).run();
        return 0;
    }
}
