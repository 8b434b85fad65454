package dev.attune.bench.cli;

import dev.attune.examples.InputException;
import dev.attune.runtime.tuning.StoreSettings;
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
        header = "Forget measurements.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
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
        if (opened.settings().mode() != StoreSettings.Mode.WRITE) {
            throw new InputException("the store may not be written, its mode is " + StoreOptions.mode(opened)
                    + "; unset attune.store.mode and ATTUNE_STORE_MODE");
        }
        int cleared = opened.clear(all);
        output.text(List.of(cleared + (cleared == 1 ? " record" : " records") + " cleared from "
                + (all ? opened.settings().directory() : opened.directory())));
        output.json(Map.of("cleared", cleared));
        return 0;
    }
}
