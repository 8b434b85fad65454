package dev.attune.runtime.opencl;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One OpenCL device of this machine.
 *
 * @param index its place among all devices, from 0
 * @param handle OpenCL's handle of it
 * @param kind what it is
 * @param name for example {@code NVIDIA H200}
 * @param platform the platform that offers it, for example {@code NVIDIA CUDA}
 * @param version its OpenCL version, for example {@code OpenCL 3.0 CUDA}
 * @param driverVersion the version of its driver
 * @param computeUnits number of compute units
 * @param memoryBytes size of its memory
 * @param allocationBytes size of the largest buffer
 * @param localMemoryBytes local memory of a work-group
 * @param workGroupItems work-items of the largest work-group
 * @param nvidiaCapability the first part of its compute capability if it is NVIDIA's, else 0
 * @param lacks what Attune's kernels need and the device has not, in words; empty if it can be used
 */
public record OpenClDevice(
        int index,
        long handle,
        Kind kind,
        String name,
        String platform,
        String version,
        String driverVersion,
        int computeUnits,
        long memoryBytes,
        long allocationBytes,
        long localMemoryBytes,
        long workGroupItems,
        int nvidiaCapability,
        List<String> lacks) {

    /** Local memory every kernel fits in: what OpenCL 1.2 guarantees. */
    static final long LOCAL_MEMORY = 32 * 1024;

    /** Work-items of the largest work-group of any kernel. */
    static final long WORK_GROUP_ITEMS = 128;

    /** What a device is; the first is preferred over the second, and so on. */
    public enum Kind {
        /** A graphics processor. */
        GPU,
        /** Another accelerator. */
        ACCELERATOR,
        /** The processor itself. */
        CPU
    }

    /** Copies the list of what is lacking. */
    public OpenClDevice {
        lacks = List.copyOf(lacks);
    }

    /** Asks a device for its properties. */
    static OpenClDevice of(int index, long handle, OpenClLibrary library) {
        OpenClDevice device = new OpenClDevice(
                index,
                handle,
                kind(library.deviceNumber(handle, OpenClLibrary.DEVICE_TYPE)),
                library.deviceText(handle, OpenClLibrary.DEVICE_NAME),
                library.platformName(handle),
                library.deviceText(handle, OpenClLibrary.DEVICE_VERSION),
                library.deviceText(handle, OpenClLibrary.DRIVER_VERSION),
                (int) library.deviceNumber(handle, OpenClLibrary.DEVICE_MAX_COMPUTE_UNITS),
                library.deviceNumber(handle, OpenClLibrary.DEVICE_GLOBAL_MEMORY),
                library.deviceNumber(handle, OpenClLibrary.DEVICE_MAX_ALLOCATION),
                library.deviceNumber(handle, OpenClLibrary.DEVICE_LOCAL_MEMORY),
                library.deviceNumber(handle, OpenClLibrary.DEVICE_MAX_WORK_GROUP_SIZE),
                nvidiaCapability(handle, library),
                List.of());
        return device.lacking(missing(device, library));
    }

    private static int nvidiaCapability(long handle, OpenClLibrary library) {
        return library.platformName(handle).startsWith("NVIDIA")
                ? (int) library.deviceNumber(handle, OpenClLibrary.NVIDIA_CAPABILITY)
                : 0;
    }

    private static Kind kind(long type) {
        if ((type & 4) != 0) {
            return Kind.GPU;
        }
        return (type & 8) != 0 ? Kind.ACCELERATOR : Kind.CPU;
    }

    private OpenClDevice lacking(List<String> missing) {
        return new OpenClDevice(
                index, handle, kind, name, platform, version, driverVersion, computeUnits, memoryBytes,
                allocationBytes, localMemoryBytes, workGroupItems, nvidiaCapability, missing);
    }

    private static List<String> missing(OpenClDevice device, OpenClLibrary library) {
        List<String> missing = new ArrayList<>();
        if ((library.deviceNumber(device.handle, OpenClLibrary.DEVICE_AVAILABLE) & 1) == 0) {
            missing.add("it is not available");
        }
        if ((library.deviceNumber(device.handle, OpenClLibrary.DEVICE_COMPILER_AVAILABLE) & 1) == 0) {
            missing.add("it has no compiler");
        }
        if ((library.deviceNumber(device.handle, OpenClLibrary.DEVICE_LITTLE_ENDIAN) & 1) == 0) {
            missing.add("it is not little-endian");
        }
        String language = library.deviceText(device.handle, OpenClLibrary.DEVICE_C_VERSION);
        if (language.matches("OpenCL C 1\\.[01].*")) {
            missing.add("it speaks " + language + ", not OpenCL C 1.2");
        }
        if (device.localMemoryBytes < LOCAL_MEMORY) {
            missing.add("it has " + device.localMemoryBytes + " bytes of local memory, not " + LOCAL_MEMORY);
        }
        if (device.workGroupItems < WORK_GROUP_ITEMS) {
            missing.add("its work-groups have at most " + device.workGroupItems + " work-items, not "
                    + WORK_GROUP_ITEMS);
        }
        return missing;
    }

    /** Returns whether Attune's kernels run on it. */
    public boolean usable() {
        return lacks.isEmpty();
    }

    /** Returns a line for a reader: everything, the index first. */
    public String describe() {
        String line = "%d: %s %s, %s, %s, driver %s, %d compute units, %.1f GiB"
                .formatted(
                        index,
                        kind.name().toLowerCase(Locale.ROOT),
                        name,
                        platform,
                        version,
                        driverVersion,
                        computeUnits,
                        memoryBytes / (double) (1 << 30));
        return usable() ? line : line + "; cannot be used: " + String.join(", ", lacks);
    }
}
