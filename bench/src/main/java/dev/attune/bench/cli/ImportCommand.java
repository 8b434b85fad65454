package dev.attune.bench.cli;

import dev.attune.examples.InputException;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningProfile;
import dev.attune.runtime.tuning.TuningStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Adds the measurements of a profile to the store. */
@Command(
        name = "import",
        header = "Add the measurements of a profile to the store.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        parameterListHeading = "%nParameters:%n",
        optionListHeading = "%nOptions:%n",
        description = "Adds the measurements of a profile to the store. They are used where the environment is the"
                + " same: processor, JVM, flags, devices and version.")
final class ImportCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "A profile that attune export or attune tune wrote.")
    Path file;

    @Mixin
    StoreOptions store;

    @Mixin
    Output output;

    @Override
    public Integer call() {
        TuningProfile profile = read();
        TuningStore opened = store.open();
        if (opened.settings().mode() != StoreSettings.Mode.WRITE) {
            throw new InputException("the store may not be written, its mode is " + StoreOptions.mode(opened)
                    + "; unset attune.store.mode and ATTUNE_STORE_MODE");
        }
        int records = profile.chapters().stream().mapToInt(chapter -> chapter.records().size()).sum();
        int saved = opened.add(profile.chapters());
        if (saved < records) {
            throw new CommandFailure((records - saved) + " of " + records + " records could not be written to "
                    + opened.settings().directory() + "; --store names another directory");
        }
        boolean here = profile.chapters().stream()
                .anyMatch(chapter -> chapter.environment().equals(opened.environment()));
        output.text(List.of(saved + (saved == 1 ? " record" : " records") + " in " + opened.settings().directory()
                + (here ? "" : "; none of them is about this machine as it runs now")));
        output.json(Map.of("imported", saved));
        return 0;
    }

    private TuningProfile read() {
        try {
            return TuningProfile.parse(Files.readString(file));
        } catch (IOException e) {
            throw new InputException(file + " cannot be read: " + e + "; name a profile that attune export wrote", e);
        } catch (IllegalArgumentException e) {
            throw new InputException(file + ": " + e.getMessage() + "; write it anew with attune export", e);
        }
    }
}
