package dev.attune.bench.cli;

import dev.attune.bench.tuning.RecordTable;
import dev.attune.bench.tuning.TuningReport;
import dev.attune.examples.InputException;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelPolicy;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.Rung;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.TuningRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says which kernels run, and why. */
@Command(
        name = "explain",
        header = "Say which variant runs here, and why.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        parameterListHeading = "%nParameters:%n",
        optionListHeading = "%nOptions:%n",
        description = "Says which variant of a specification runs on this machine and why, with the reason of every"
                + " other one and the times behind the choice.")
final class ExplainCommand implements Callable<Integer> {

    /** Held strongly: java.util.logging forgets the level of a logger nobody holds. */
    private static final Logger RUNTIME_LOG = Logger.getLogger("dev.attune");

    @Parameters(paramLabel = "SPEC", description = "A specification, by simple or qualified name.")
    String name;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that work on a cache; all stands for one per core (default: as the process is set).")
    String threads;

    @Mixin
    SpecificationOptions specifications;

    @Mixin
    Output output;

    /**
     * The answer as JSON.
     *
     * @param specification qualified name
     * @param threads threads that work on a cache
     * @param chosen the variant in use
     * @param reason why
     * @param ladder every variant
     * @param store the directory of the measurements
     * @param measured context lengths that were measured
     */
    record Explanation(
            String specification,
            int threads,
            String chosen,
            String reason,
            List<Rung> ladder,
            String store,
            List<Measured> measured) {}

    /**
     * A measurement as JSON.
     *
     * @param contextTokens tokens of the cache
     * @param chosen the variant that decodes such caches
     * @param reason why
     * @param table headings, then a row for each variant
     */
    record Measured(int contextTokens, String chosen, String reason, List<List<String>> table) {}

    @Override
    public Integer call() {
        RUNTIME_LOG.setLevel(Level.OFF);
        KernelProvider provider = specifications.named(List.of(name)).getFirst();
        LayerKernels kernels = kernels(provider);
        KernelTuner tuner = new KernelTuner(provider);
        List<TuningRecord> records = tuner.known(kernels.threads());
        Rung chosen = kernels.ladder().stream().filter(Rung::chosen).findFirst().orElseThrow();
        output.text(text(provider, kernels, tuner, records, chosen));
        output.json(new Explanation(
                provider.specification().getName(),
                kernels.threads(),
                chosen.variant(),
                chosen.reason(),
                kernels.ladder(),
                tuner.store().directory().toString(),
                records.stream().map(ExplainCommand::measured).toList()));
        return 0;
    }

    private LayerKernels kernels(KernelProvider provider) {
        try {
            LayerKernels kernels = Attune.kernels(provider, KernelPolicy.ofProcess());
            return threads == null ? kernels : kernels.withThreads(Quantities.threads("--threads", threads));
        } catch (IllegalStateException | IllegalArgumentException refused) {
            throw new InputException(refused.getMessage(), refused);
        }
    }

    private static Measured measured(TuningRecord record) {
        List<List<String>> table = new ArrayList<>();
        table.add(RecordTable.table(record).header());
        table.addAll(RecordTable.table(record).rows());
        return new Measured(record.key().contextTokens(), record.chosen(), record.reason(), table);
    }

    private static List<String> text(
            KernelProvider provider, LayerKernels kernels, KernelTuner tuner, List<TuningRecord> records, Rung chosen) {
        List<String> lines = new ArrayList<>();
        lines.add(provider.specification().getName() + ": " + TuningReport.summary(provider));
        lines.add(tuner.store().environment().describe());
        lines.add("");
        lines.add("runs on " + chosen.variant() + ", " + chosen.reason());
        kernels.ladder().stream().filter(rung -> !rung.chosen()).forEach(rung -> lines.add("  " + rung));
        lines.add("");
        if (records.isEmpty()) {
            lines.add("nothing was measured with " + RecordTable.threads(kernels.threads())
                    + " on this machine; attune tune " + provider.specification().getSimpleName()
                    + " --threads " + kernels.threads() + " does that");
        }
        for (TuningRecord record : records) {
            lines.add(RecordTable.title(record) + ", measured " + record.measuredAt());
            lines.addAll(RecordTable.lines(record));
            lines.add("");
        }
        lines.add("store: " + tuner.store().directory() + " (" + StoreOptions.mode(tuner.store()) + ")");
        return lines;
    }
}
