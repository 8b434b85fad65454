package dev.attune.bench.cli;

import dev.attune.examples.InputException;
import dev.attune.examples.report.AtomicFile;
import dev.attune.runtime.tuning.TuningProfile;
import dev.attune.runtime.tuning.TuningStore;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes measurements to a profile. */
@Command(
        name = "export",
        header = "Write measurements to a profile.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        parameterListHeading = "%nParameters:%n",
        optionListHeading = "%nOptions:%n",
        description = "Writes what was measured on this machine to a profile: for other machines (attune import), and"
                + " for builds with the processor's option -Aattune.profile.")
final class ExportCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "The profile to write.")
    Path file;

    @Option(names = "--all", description = "Write what was measured in every environment.")
    boolean all;

    @Mixin
    StoreOptions store;

    @Mixin
    Output output;

    @Override
    public Integer call() {
        TuningStore opened = store.open();
        List<TuningStore.Chapter> chapters = opened.chapters().stream()
                .filter(chapter -> all || chapter.environment().equals(opened.environment()))
                .toList();
        int records = chapters.stream().mapToInt(chapter -> chapter.records().size()).sum();
        if (records == 0) {
            throw new InputException("nothing was measured on this machine; attune tune does that, --all writes what"
                    + " was measured elsewhere");
        }
        TuningProfile profile = new TuningProfile(chapters);
        AtomicFile.write(file, profile.toJson());
        output.text(List.of(records + (records == 1 ? " record" : " records") + " in " + file));
        output.printJson(profile.toJson());
        return 0;
    }
}
