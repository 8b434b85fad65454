package dev.attune.bench.cli;

import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningStore;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Which store a command works on. */
final class StoreOptions {

    @Option(
            names = "--store",
            paramLabel = "DIR",
            description = "Directory of the store (default: as the process is set, see attune.store).")
    Path directory;

    TuningStore open() {
        StoreSettings settings = StoreSettings.ofProcess();
        return TuningStore.open(
                directory == null ? settings : new StoreSettings(directory.toAbsolutePath(), settings.mode()),
                KernelTuner.environment());
    }

    /** Returns the mode of a store as users write it. */
    static String mode(TuningStore store) {
        return store.settings().mode().toString().toLowerCase(Locale.ROOT);
    }
}
