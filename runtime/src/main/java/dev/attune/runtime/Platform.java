package dev.attune.runtime;

import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningStore;
import java.nio.file.Path;
import java.util.List;

/** The facts about this JVM and machine that decide which variant is used: which can run, and how fast they are. */
interface Platform {

    /** The module the Vector API lives in. */
    String VECTOR_MODULE = "jdk.incubator.vector";

    /** Returns whether the Vector API can be used at all. */
    boolean vectorModuleResolved();

    /**
     * Returns the widest vectors the machine handles well. Wider ones still compute the right result, about a thousand
     * times slower. Asked only if the module is resolved.
     */
    int preferredVectorBits();

    /**
     * Returns whether an operation on vectors is compiled to instructions; kernels built on it are useless otherwise.
     * May take a fraction of a second, and seconds if it is not. Asked only if the module is resolved.
     */
    boolean compiles(VectorOperation operation);

    /**
     * Returns the store of what was measured here. Here are the devices, too, if OpenCL kernels were generated.
     */
    default TuningStore store(boolean withDevices) {
        StoreSettings nowhere = new StoreSettings(Path.of("").toAbsolutePath(), StoreSettings.Mode.OFF);
        return TuningStore.open(nowhere, Environment.current(0, List.of()));
    }

    /** Returns what variants are timed by. */
    default Meter meter() {
        return Meter.ofJvm();
    }

    /** Returns whether OpenCL kernels can run. Asked only if such kernels were generated: looking loads drivers. */
    default OpenClSupport openCl() {
        return OpenClSupport.absent("nobody looked for devices");
    }
}
