package dev.attune.bench.cli;

import dev.attune.bench.tuning.RecordTable;
import dev.attune.bench.tuning.SpecificationCatalogue;
import dev.attune.examples.report.AtomicFile;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningProfile;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures variants and remembers the fastest. */
@Command(
        name = "tune",
        header = "Measure the variants of specifications, and remember the fastest.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        parameterListHeading = "%nParameters:%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        description = {
            "Verifies the variants of a specification that can run on this machine, times them against one another, and"
                    + " keeps what came of it in the store, where every later start finds it.",
            "The variant that is used without measurements always takes part; another takes its place only if it is"
                    + " faster beyond doubt. Of more than 16 variants a search compares some. Ctrl-C loses nothing but"
                    + " the measurement it interrupts; the same command goes on with what lacks."
        },
        footer = {
            "  attune tune Llama31Attention --budget 90s",
            "  attune tune -c target/classes MyAttention --contexts 8k --threads 1,all",
            "  attune tune --all --budget 30s --export profile.json"
        })
final class TuneCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SPEC", arity = "0..*", description = "Specifications, by simple or qualified name.")
    List<String> names = List.of();

    @Option(names = "--all", description = "Tune all specifications that are found.")
    boolean all;

    @Option(
            names = "--contexts",
            paramLabel = "LIST",
            split = ",",
            description = "Tokens in the cache; k stands for 1024. The powers of two below are measured, 1k to 1024k"
                    + " (default: 4k,32k,128k).")
    List<String> contexts = List.of("4k", "32k", "128k");

    @Option(
            names = "--threads",
            paramLabel = "LIST",
            split = ",",
            description = "Numbers of threads; all stands for one per core, as caches use unless told otherwise"
                    + " (default: all).")
    List<String> threads = List.of("all");

    @Option(
            names = "--budget",
            paramLabel = "TIME",
            description = "How long each specification may take, such as 90s or 2m (default: ${DEFAULT-VALUE}).")
    String budget = "2m";

    @Option(names = "--again", description = "Measure again what is in the store.")
    boolean again;

    @Option(
            names = "--export",
            paramLabel = "FILE",
            description = "Also write what was measured as a profile: for other machines, and for builds with the"
                    + " processor's option -Aattune.profile.")
    Path export;

    @Mixin
    SpecificationOptions specifications;

    @Mixin
    Output output;

    @Spec
    CommandSpec spec;

    private int inconclusive;

    @Override
    public Integer call() {
        List<KernelProvider> providers = specifications.namedOrAll(names, all);
        Duration each = Quantities.duration("--budget", budget);
        Set<Integer> tokens = new LinkedHashSet<>();
        contexts.forEach(context -> tokens.add(TuningKey.bucket(Quantities.tokens("--contexts", context))));
        Set<Integer> counts = new LinkedHashSet<>();
        threads.forEach(count -> counts.add(Quantities.threads("--threads", count)));
        if (export != null) {
            AtomicFile.requireWritable("--export", export);
        }
        TuningProfile profile = new TuningProfile(List.of());
        try (TuneProgress progress = TuneProgress.start(output.json, spec.commandLine())) {
            for (KernelProvider provider : providers) {
                profile = profile.with(tune(provider, tokens, counts, each, progress));
            }
        }
        if (export != null) {
            AtomicFile.write(export, profile.toJson());
            output.text(List.of("profile: " + export));
        }
        output.printJson(profile.toJson());
        if (inconclusive > 0) {
            AttuneCommand.complain(
                    spec.commandLine(),
                    inconclusive + " of " + providers.size() * tokens.size() * counts.size()
                            + " measurements came to no conclusion in their share of " + budget
                            + ", and were not kept; give more time with --budget");
            return ExitCode.INCONCLUSIVE;
        }
        return ExitCode.DONE;
    }

    private TuningProfile tune(
            KernelProvider provider, Set<Integer> tokens, Set<Integer> counts, Duration budget, TuneProgress progress) {
        try (KernelTuner tuner = new KernelTuner(provider, KernelTuner.Isolation.OWN_PROCESSES)) {
            return tune(tuner, provider, tokens, counts, budget, progress);
        }
    }

    private TuningProfile tune(
            KernelTuner tuner,
            KernelProvider provider,
            Set<Integer> tokens,
            Set<Integer> counts,
            Duration budget,
            TuneProgress progress) {
        long end = System.nanoTime() + budget.toNanos();
        List<TuningRecord> records = new ArrayList<>();
        int left = tokens.size() * counts.size();
        progress.begin(SpecificationCatalogue.simpleName(provider), left);
        for (int count : counts) {
            for (int context : tokens) {
                Optional<TuningRecord> before = again ? Optional.empty() : tuner.known(context, count);
                Optional<TuningRecord> known = before.filter(TuneCommand::nobodyIsLeftOut);
                TuningRecord record;
                if (known.isPresent()) {
                    record = known.get();
                } else {
                    record = measure(tuner, context, count, before, budget, end, left, progress);
                }
                left--;
                if (tuner.known(context, count).filter(record::equals).isPresent()) {
                    records.add(record);
                } else {
                    inconclusive++;
                }
                List<String> lines = new ArrayList<>();
                lines.add(RecordTable.title(record) + (known.isPresent() ? " (from the store; --again measures)" : ""));
                lines.addAll(RecordTable.lines(record));
                lines.add("");
                progress.end(lines);
            }
        }
        return new TuningProfile(List.of(new TuningStore.Chapter(tuner.store().environment(), records)));
    }

    /**
     * Tuning in the background leaves out vectors of another width, a short budget what it did not suffice for, and a
     * search what it did not come to.
     */
    private static boolean nobodyIsLeftOut(TuningRecord record) {
        return record.candidates().stream().noneMatch(candidate -> candidate.verdict() == Verdict.LEFT_OUT);
    }

    /** Measures within a fair share of the time up to an end. */
    private static TuningRecord measure(
            KernelTuner tuner,
            int context,
            int threads,
            Optional<TuningRecord> before,
            Duration budget,
            long end,
            int left,
            TuneProgress progress) {
        try {
            tuner.prepare(budget, progress);
            Duration share = Duration.ofNanos(Math.max(0, end - System.nanoTime()) / left);
            return before.isPresent()
                    ? tuner.goOn(before.get(), share, progress)
                    : tuner.tune(context, threads, share, progress);
        } catch (IllegalStateException failure) {
            // Not memory enough, or even the default fails: the message says so, and what to do.
            throw new CommandFailure(failure.getMessage(), failure);
        }
    }
}
