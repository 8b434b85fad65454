package dev.attune.bench.cli;

import dev.attune.annotations.NumberFormat;
import dev.attune.bench.compare.Selection;
import dev.attune.bench.layers.Layer;
import dev.attune.bench.layers.Layers;
import dev.attune.bench.layers.Pruning;
import dev.attune.bench.measure.Schedule;
import dev.attune.bench.workload.Operation;
import dev.attune.examples.InputException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures the generated kernels beside dense ones and plain reading. */
@Command(
        name = "bench",
        header = "Measure kernels beside dense ones and plain reading of memory.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        description = {
            "Measures the generated kernels on this machine, beside dense ones and beside plain reading of memory.",
            "Whatever is compared takes turns in the same rounds, so that a busy machine slows all of it alike."
        },
        footer = {
            "  attune bench                                  head dimension 128, 32k and 128k tokens",
            "  attune bench --operations decode-step --groups 1 --contexts 32k --threads 1",
            "  attune bench --full                           everything; an hour or so"
        })
final class BenchCommand implements Callable<Integer> {

    private static final int LONGEST_SECONDS = 3600;

    /** Held strongly: java.util.logging forgets the level of a logger nobody holds. */
    private static final Logger RUNTIME_LOG = Logger.getLogger("dev.attune");

    @Option(
            names = "--operations",
            paramLabel = "LIST",
            split = ",",
            description = "Of decode-step, key-scores, value-sums, pack-keys, pack-values (default: all).")
    List<String> operations;

    @Option(
            names = "--specs",
            paramLabel = "LIST",
            split = ",",
            description = "Of dense, k0.8-centred, k0.8-centred+v0.8 (default: all). Dense bf16 is always measured.")
    List<String> specs;

    @Option(
            names = "--formats",
            paramLabel = "LIST",
            split = ",",
            description = "Of f32, bf16, f16, int8, int4; all for head dimension 128, f32 and bf16 for others"
                    + " (default: bf16,int8; --full: all).")
    List<String> formats;

    @Option(
            names = "--head-dims",
            paramLabel = "LIST",
            split = ",",
            description = "Of 64, 128, 256 (default: 128; --full: all).")
    List<Integer> headDims;

    @Option(
            names = "--groups",
            paramLabel = "LIST",
            split = ",",
            description = "Query heads per key-value head, of 1, 4, 8 (default: 1,4; --full: all).")
    List<Integer> groups;

    @Option(
            names = "--contexts",
            paramLabel = "LIST",
            split = ",",
            description = "Tokens in the cache, multiples of 64; k stands for 1024"
                    + " (default: 32k,128k; --full: 4k,32k,128k).")
    List<String> contexts;

    @Option(
            names = "--threads",
            paramLabel = "LIST",
            split = ",",
            description = "Numbers of threads; all stands for one per core (default: ${DEFAULT-VALUE}).")
    List<String> threads = List.of("1");

    @Option(names = "--full", description = "Measure everything that is not narrowed by another option.")
    boolean full;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "How long to take times in each comparison, after its warm-up (default: ${DEFAULT-VALUE}).")
    double seconds = 5;

    @Option(
            names = "--longest-warm-up",
            paramLabel = "N",
            description = "Seconds after which times are taken even if they have not settled; rows say whether they had"
                    + " (default: ${DEFAULT-VALUE}).")
    double longestWarmUp = 60;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Where the report goes (default: ${DEFAULT-VALUE}).")
    Path report = Path.of("bench-report.json");

    @Option(
            names = "--charts",
            paramLabel = "DIR",
            description = "Also draw decode steps, as DIR/decode-time-D.svg and DIR/roofline-D.svg for each head"
                    + " dimension D.")
    Path charts;

    @Spec
    CommandSpec spec;

    @Override
    public Integer call() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            throw new InputException("plain reading uses the Vector API, but this JVM runs without the module"
                    + " jdk.incubator.vector; add --add-modules jdk.incubator.vector to the java command");
        }
        // The report names the backend of every row itself.
        RUNTIME_LOG.setLevel(Level.WARNING);
        new BenchRun(selection(), schedule(), report, Optional.ofNullable(charts), spec.commandLine()).run();
        return 0;
    }

    private Schedule schedule() {
        return Schedule.of(duration("--longest-warm-up", longestWarmUp), duration("--seconds", seconds));
    }

    private static Duration duration(String option, double value) {
        if (!(value > 0 && value <= LONGEST_SECONDS)) {
            throw new InputException(option + " = " + value + " is not between 0 and " + LONGEST_SECONDS
                    + " seconds; the defaults suit most machines");
        }
        return Duration.ofNanos((long) (value * 1e9));
    }

    /** Returns what was asked for, with the defaults where nothing was. */
    Selection selection() {
        return new Selection(
                chosen("--operations", operations, List.of(Operation.values()), Operation::toString),
                numbers("--head-dims", headDims, Layers.all().stream().map(Layer::headDim), List.of(128)),
                numbers("--groups", groups, Layers.all().stream().map(Layer::groupSize), List.of(1, 4)),
                distinct(tokens()),
                distinct(threadCounts()),
                Set.copyOf(chosen("--specs", specs, List.of(Pruning.values()), Pruning::toString)),
                Set.copyOf(formats()));
    }

    private List<NumberFormat> formats() {
        List<NumberFormat> known =
                Layers.all().stream().map(Layer::format).distinct().sorted().toList();
        return formats == null && !full
                ? List.of(NumberFormat.BFLOAT16, NumberFormat.INT8)
                : chosen("--formats", formats, known, Layer::label);
    }

    private List<Integer> numbers(
            String option, List<Integer> asked, Stream<Integer> known, List<Integer> usual) {
        List<Integer> all = known.distinct().sorted().toList();
        if (asked == null) {
            return full ? all : usual;
        }
        return chosen(option, asked.stream().map(Object::toString).toList(), all, Object::toString);
    }

    /** Returns what the names stand for, or everything if there are none. */
    private static <T> List<T> chosen(String option, List<String> names, List<T> known, Function<T, String> label) {
        if (names == null) {
            return known;
        }
        return distinct(names.stream()
                .map(name -> known.stream()
                        .filter(each -> label.apply(each).equals(name))
                        .findFirst()
                        .orElseThrow(() -> new InputException(option + ": " + name + " is not known; choose from "
                                + known.stream().map(label).collect(Collectors.joining(", ")))))
                .toList());
    }

    private static <T> List<T> distinct(List<T> list) {
        return List.copyOf(new LinkedHashSet<>(list));
    }

    private List<Integer> tokens() {
        if (contexts == null) {
            return full ? List.of(4096, 32_768, 131_072) : List.of(32_768, 131_072);
        }
        return contexts.stream().map(each -> Quantities.tokens("--contexts", each)).toList();
    }

    private List<Integer> threadCounts() {
        return threads.stream().map(each -> Quantities.threads("--threads", each)).toList();
    }
}
