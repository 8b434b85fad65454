package dev.attune.runtime;

import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.OpenClKernels;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The OpenCL programs built so far, one for each specification and device, kept while the specification is loaded. */
final class DevicePrograms {

    private static final ClassValue<Map<Integer, LayerProgram>> BUILT = new ClassValue<>() {
        @Override
        protected Map<Integer, LayerProgram> computeValue(Class<?> provider) {
            return new ConcurrentHashMap<>();
        }
    };

    private DevicePrograms() {}

    /**
     * Returns the programs of a specification for the devices to use.
     *
     * @throws OpenClException if there is no device, or one's compiler refuses the program
     */
    static List<LayerProgram> of(KernelProvider provider) {
        OpenClKernels kernels = provider.openCl().orElseThrow();
        return OpenClDevices.find().chosen().stream()
                .map(device -> BUILT.get(provider.getClass())
                        .computeIfAbsent(
                                device.index(),
                                index -> LayerProgram.build(device, provider.shape(), provider.layout(), kernels)))
                .toList();
    }
}
