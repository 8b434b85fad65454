package dev.attune.runtime;

import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningStore;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The JVM we are running on. */
final class RunningPlatform implements Platform {

    /** One for each directory and environment, so that all of a process share what is in memory. */
    private static final Map<List<?>, TuningStore> STORES = new ConcurrentHashMap<>();

    @Override
    public boolean vectorModuleResolved() {
        return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    }

    @Override
    public TuningStore store(boolean withDevices) {
        OpenClSupport openCl = withDevices ? openCl() : OpenClSupport.absent("nobody asked");
        Environment here = Environment.current(
                vectorModuleResolved() ? preferredVectorBits() : 0,
                openCl.available() ? List.of(openCl.devices()) : List.of());
        return STORES.computeIfAbsent(
                List.of(StoreSettings.ofProcess(), here), opened -> TuningStore.open(StoreSettings.ofProcess(), here));
    }

    @Override
    public OpenClSupport openCl() {
        return OpenClSupport.ofThisMachine();
    }

    @Override
    public int preferredVectorBits() {
        return PreferredVectors.bits();
    }

    @Override
    public boolean compiles(VectorOperation operation) {
        return VectorProbe.compiles(operation);
    }
}
