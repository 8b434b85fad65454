package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.opencl.OpenClException;

/** The device that tests run on; without one they are skipped, or fail if {@code -Dattune.requireOpenCl=true}. */
public final class OpenClTestDevice {

    private OpenClTestDevice() {}

    /** Returns the preferred device. */
    public static OpenClDevice require() {
        try {
            return OpenClDevices.find().preferred();
        } catch (OpenClException reason) {
            if (Boolean.getBoolean("attune.requireOpenCl")) {
                throw new AssertionError("attune.requireOpenCl is set, but " + reason.getMessage(), reason);
            }
            return abort("skipped without an OpenCL device: " + reason.getMessage());
        }
    }
}
