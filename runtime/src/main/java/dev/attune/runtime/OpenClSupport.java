package dev.attune.runtime;

import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.opencl.OpenClException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Whether OpenCL kernels can run here.
 *
 * @param devices the devices to use, in words; empty if there is an obstacle
 * @param processor whether they are processors, which Java kernels serve better
 * @param obstacle why OpenCL cannot be used, and what to do about it; empty if it can
 */
record OpenClSupport(String devices, boolean processor, String obstacle) {

    static OpenClSupport absent(String obstacle) {
        return new OpenClSupport("", false, obstacle);
    }

    /** Looks for devices. */
    static OpenClSupport ofThisMachine() {
        try {
            List<OpenClDevice> chosen = OpenClDevices.find().chosen();
            return new OpenClSupport(
                    chosen.stream().map(OpenClDevice::describe).collect(Collectors.joining(" and ")),
                    chosen.getFirst().kind() == OpenClDevice.Kind.CPU,
                    "");
        } catch (OpenClException reason) {
            return absent(reason.getMessage());
        }
    }

    boolean available() {
        return obstacle.isEmpty();
    }
}
