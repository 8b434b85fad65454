package dev.attune.runtime.opencl;

import com.aparapi.ProfileInfo;
import com.aparapi.Range;
import com.aparapi.device.OpenCLDevice;
import com.aparapi.internal.opencl.OpenCLArgDescriptor;
import com.aparapi.internal.opencl.OpenCLKernel;
import com.aparapi.internal.opencl.OpenCLPlatform;
import com.aparapi.internal.opencl.OpenCLProgram;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * All of Attune that touches Aparapi; loaded only once Aparapi is known to be there.
 *
 * <p>No Java array ever passes through here. Aparapi pins arrays while kernels run and leaks the pins; device buffers
 * are passed by their handles instead, as {@code long} arguments that OpenCL takes for {@code __global} pointers.
 *
 * <p>Aparapi prints failures to the standard error stream and carries on, and a launch it cannot make may end the JVM.
 * What it returns and what it is given is therefore checked by its callers, {@link OpenClProgram} and
 * {@link OpenClKernel}.
 */
final class AparapiAccess {

    private static final String PROBE = "com.aparapi.device.OpenCLDevice";

    private static final long POINTER_ARGUMENT = OpenCLArgDescriptor.ARG_ISARG_BIT
            | OpenCLArgDescriptor.ARG_PRIMITIVE_BIT
            | OpenCLArgDescriptor.ARG_LONG_BIT;
    private static final long INT_ARGUMENT = OpenCLArgDescriptor.ARG_ISARG_BIT
            | OpenCLArgDescriptor.ARG_PRIMITIVE_BIT
            | OpenCLArgDescriptor.ARG_INT_BIT;

    private AparapiAccess() {}

    /**
     * Makes Aparapi's classes readable from this module.
     *
     * @throws OpenClException if they are absent
     */
    static void require() {
        try {
            Class<?> probe = Class.forName(PROBE, false, OpenClLibrary.class.getClassLoader());
            // Without effect on the class path; as a module we may find Aparapi in another one or on the class path.
            OpenClLibrary.class.getModule().addReads(probe.getModule());
        } catch (ClassNotFoundException absent) {
            throw new OpenClException("Aparapi is absent; add com.aparapi:aparapi:3.0.2 to the class path, or to the"
                    + " module path with --add-modules aparapi,java.logging");
        }
    }

    /**
     * Returns the handles of all devices of all platforms.
     *
     * @throws OpenClException if Aparapi's native library does not load here
     */
    static List<Long> devices() {
        try {
            return devicesOfAllPlatforms().stream().map(OpenCLDevice::getDeviceId).toList();
        } catch (LinkageError failure) {
            throw new OpenClException("Aparapi's native library does not load on " + System.getProperty("os.name") + " "
                    + System.getProperty("os.arch") + " (" + failure + "); it exists for Linux x86-64 and aarch64,"
                    + " Windows and macOS x86-64");
        }
    }

    private static List<OpenCLDevice> devicesOfAllPlatforms() {
        List<OpenCLDevice> devices = new ArrayList<>();
        for (OpenCLPlatform platform : new OpenCLPlatform().getOpenCLPlatforms()) {
            devices.addAll(platform.getOpenCLDevices());
        }
        return devices;
    }

    /**
     * Builds a program, whether it succeeds or not.
     *
     * @throws OpenClException if Aparapi returns no program at all
     */
    static Program build(OpenClDevice device, String source) {
        OpenCLDevice of = devicesOfAllPlatforms().stream()
                .filter(candidate -> candidate.getDeviceId() == device.handle())
                .findFirst()
                .orElseThrow(() -> new OpenClException(device.name() + " is gone since devices were listed"));
        OpenCLProgram program = new OpenCLProgram(of, source).createProgram(of);
        if (program == null) {
            throw new OpenClException("Aparapi made no program for " + device.name()
                    + "; what it printed to the standard error stream may tell why");
        }
        return new Program(program, handle(program, "programId"), handle(program, "contextId"),
                handle(program, "queueId"));
    }

    private static long handle(Object owner, String name) {
        try {
            Field field = owner.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field.getLong(owner);
        } catch (ReflectiveOperationException | RuntimeException failure) {
            throw new OpenClException("this Aparapi has no readable field " + owner.getClass().getName() + "." + name
                    + " (" + failure + "); Attune needs version 3.0.2");
        }
    }

    /**
     * A program with its own context and queue.
     *
     * @param handle OpenCL's handle of the program
     * @param context OpenCL's handle of its context
     * @param queue OpenCL's handle of its queue, which runs commands in order
     */
    record Program(OpenCLProgram program, long handle, long context, long queue) {

        /** Returns a kernel, or null if the program has none of that name. */
        Kernel kernel(String name, List<OpenClKernel.Parameter> parameters) {
            List<OpenCLArgDescriptor> descriptors = parameters.stream()
                    .map(parameter -> new OpenCLArgDescriptor(
                            parameter.name(), parameter.pointer() ? POINTER_ARGUMENT : INT_ARGUMENT))
                    .toList();
            OpenCLKernel kernel = OpenCLKernel.createKernel(program, name, descriptors);
            return kernel == null ? null : new Kernel(kernel, AparapiAccess.handle(kernel, "kernelId"));
        }

        /** Returns the nanoseconds that the last launch took on the device, or nothing if there was none. */
        LongStream launchNanos() {
            List<ProfileInfo> launches = program.getProfileInfo();
            return launches == null
                    ? LongStream.empty()
                    : launches.stream().mapToLong(launch -> launch.getEnd() - launch.getStart());
        }

        void dispose() {
            program.dispose();
        }
    }

    /**
     * A kernel.
     *
     * @param handle OpenCL's handle of it
     */
    record Kernel(OpenCLKernel kernel, long handle) {

        /**
         * Launches the kernel and waits for it.
         *
         * @param groups number of work-groups
         * @param items work-items of a group
         * @param arguments handles as {@code Long}, numbers as {@code Integer}
         */
        void launch(int groups, int items, Object[] arguments) {
            Object[] withRange = new Object[arguments.length + 1];
            withRange[0] = Range.create(groups * items, items);
            System.arraycopy(arguments, 0, withRange, 1, arguments.length);
            kernel.invoke(withRange);
        }

        void dispose() {
            kernel.dispose();
        }
    }
}
