package dev.attune.bench.cli;

import dev.attune.runtime.tuning.TuningStore;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Forgets measurements. */
@Command(
        name = "clear",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "Usage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        description = "Forgets what was measured on this machine. Other files in the store's directory stay.")
final class ClearCommand implements Callable<Integer> {

    @Option(names = "--all", description = "Forget what was measured in every environment.")
    boolean all;

    @Mixin
    StoreOptions store;

    @Mixin
    Output output;

    @Override
    public Integer call() {
        TuningStore opened = store.open();
        int cleared = opened.clear(all);
        output.text(List.of(cleared + (cleared == 1 ? " record" : " records") + " cleared from "
                + (all ? opened.settings().directory() : opened.directory())));
        output.json(Map.of("cleared", cleared));
        return 0;
    }
}
