package dev.attune.runtime;

import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningStore;
import java.nio.file.Path;
import java.util.List;

/** A machine that a test makes up; its JVM compiles everything. */
record Machine(int preferredVectorBits, OpenClSupport openCl, TuningStore measurements, Meter meter)
        implements Platform {

    /** A machine without devices that keeps its measurements in a directory. */
    static Machine of(int vectorBits, Path directory, Meter meter) {
        TuningStore store = TuningStore.open(
                new StoreSettings(directory, StoreSettings.Mode.WRITE), Environment.current(vectorBits, List.of()));
        return new Machine(vectorBits, OpenClSupport.absent("nobody looked for devices"), store, meter);
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
    }}
