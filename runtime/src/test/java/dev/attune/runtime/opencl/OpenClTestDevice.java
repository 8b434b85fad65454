package dev.attune.runtime.opencl;

import static org.junit.jupiter.api.Assumptions.abort;


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
