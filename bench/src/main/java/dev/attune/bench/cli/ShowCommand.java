package dev.attune.bench.cli;

import dev.attune.bench.tuning.RecordTable;
import dev.attune.examples.report.ResultTable;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningProfile;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows what is in the store. */
@Command(
        name = "show",
        header = "Show what the store remembers.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        description = "Shows what is in the store: for every environment, what was measured and chosen.")
final class ShowCommand implements Callable<Integer> {

    private static final int CHOSEN = 1;

    @Mixin
    StoreOptions store;

    @Mixin
    Output output;

    @Override
    public Integer call() {
        TuningStore opened = store.open();
        List<TuningStore.Chapter> chapters = opened.chapters();
        List<String> lines = new ArrayList<>();
        lines.add("store: " + opened.settings().directory() + " (" + StoreOptions.mode(opened) + ")");
        for (TuningStore.Chapter chapter : chapters) {
            boolean here = chapter.environment().equals(opened.environment());
            lines.add("");
            lines.add(chapter.environment().hash() + (here ? " (this machine): " : ": ")
                    + chapter.environment().describe());
            lines.addAll(new ResultTable(
                            List.of("measured", "chosen", "ns/token/head", "when"),
                            chapter.records().stream().map(ShowCommand::row).toList())
                    .lines(CHOSEN));
        }
        if (chapters.isEmpty()) {
            lines.add("nothing was measured yet; attune tune does that");
        }
        output.text(lines);
        output.printJson(new TuningProfile(chapters).toJson());
        return 0;
    }

    private static List<String> row(TuningRecord record) {
        double nanos =
                record.candidate(record.chosen()).map(CandidateResult::medianNanos).orElse(Double.NaN);
        return List.of(
                RecordTable.title(record),
                record.chosen(),
                String.format(Locale.ROOT, "%.2f", nanos),
                record.measuredAt().toString());
    }
}
