package dev.attune.bench.cli;

import dev.attune.bench.measure.Schedule;
import dev.attune.bench.report.ReadSpeed;
import dev.attune.bench.roofline.ReadBandwidth;
import dev.attune.bench.tuning.TuningReport;
import dev.attune.examples.InputException;
import dev.attune.examples.report.AtomicFile;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Draws what was measured. */
@Command(
        name = "report",
        header = "Draw what was measured, as one web page.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        parameterListHeading = "%nParameters:%n",
        optionListHeading = "%nOptions:%n",
        description = "Writes one web page about what was measured on this machine: time against context for each"
                + " variant beside plain reading of memory, the choice and its margin.")
final class ReportCommand implements Callable<Integer> {

    private static final Schedule READING = Schedule.of(Duration.ofSeconds(3), Duration.ofSeconds(2));

    @Parameters(
            paramLabel = "SPEC",
            arity = "0..*",
            description = "Specifications, by simple or qualified name (default: all that were measured).")
    List<String> names = List.of();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Where the page goes (default: ${DEFAULT-VALUE}).")
    Path file = Path.of("attune-report.html");

    @Option(names = "--no-reading", description = "Do not measure how fast memory is read, which takes some seconds.")
    boolean noReading;

    @Mixin
    SpecificationOptions specifications;

    @Mixin
    Output output;

    /**
     * The answer as JSON.
     *
     * @param page the file that was written
     * @param specifications qualified names of those on it
     */
    record Written(String page, List<String> specifications) {}

    @Override
    public Integer call() {
        AtomicFile.requireWritable("--output", file);
        List<KernelProvider> providers =
                names.isEmpty() ? specifications.catalogue().providers() : specifications.named(names);
        List<TuningReport.Chapter> chapters = new ArrayList<>();
        String machine = KernelTuner.environment().describe();
        for (KernelProvider provider : providers) {
            KernelTuner tuner = new KernelTuner(provider);
            List<TuningRecord> records = records(tuner.store(), provider);
            if (!records.isEmpty()) {
                chapters.add(new TuningReport.Chapter(provider, tuner.ladder(), records));
            }
        }
        if (chapters.isEmpty()) {
            throw new InputException("nothing was measured of " + (names.isEmpty() ? "any specification" : names)
                    + " on this machine; attune tune does that");
        }
        Set<Integer> threads = chapters.stream()
                .flatMap(chapter -> chapter.records().stream())
                .map(record -> record.key().threads())
                .collect(Collectors.toSet());
        AtomicFile.write(file, TuningReport.page(machine, chapters, noReading ? Map.of() : read(threads)));
        output.text(List.of("report: " + file));
        output.json(new Written(
                file.toString(),
                chapters.stream().map(chapter -> chapter.provider().specification().getName()).toList()));
        return 0;
    }

    private static List<TuningRecord> records(TuningStore store, KernelProvider provider) {
        return store.chapters().stream()
                .filter(chapter -> chapter.environment().equals(store.environment()))
                .flatMap(chapter -> chapter.records().stream())
                .filter(record -> record.key().specification().equals(provider.specification().getName())
                        && record.key().sourcesHash().equals(provider.fingerprint().sources()))
                .sorted((one, other) -> Integer.compare(one.key().contextTokens(), other.key().contextTokens()))
                .toList();
    }

    private static Map<Integer, Double> read(Set<Integer> threads) {
        Map<Integer, Double> speeds = new TreeMap<>();
        for (int count : threads) {
            try (ReadBandwidth reading = ReadBandwidth.on(count, READING)) {
                speeds.put(count, ReadSpeed.of(reading).gigabytesPerSecond());
            }
        }
        return speeds;
    }
}
