package dev.attune.runtime;

import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningStore;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;

/** A machine that a test makes up; its JVM compiles everything. */
record Machine(int preferredVectorBits, OpenClSupport openCl, TuningStore measurements, LongSupplier clock)
        implements Platform {

    /** A machine without devices that keeps its measurements in a directory. */
    static Machine of(int vectorBits, Path directory, LongSupplier clock) {
        TuningStore store = TuningStore.open(
                new StoreSettings(directory, StoreSettings.Mode.WRITE), Environment.current(vectorBits, List.of()));
        return new Machine(vectorBits, OpenClSupport.absent("nobody looked for devices"), store, clock);
    }

    @Override
    public boolean vectorModuleResolved() {
        return true;
    }

    @Override
    public boolean compiles(VectorOperation operation) {
        return true;
    }

    @Override
    public TuningStore store(boolean withDevices) {
        return measurements;
    }

    @Override
    public long nanoTime() {
        return clock.getAsLong();
    }
}
