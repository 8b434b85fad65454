package dev.attune.runtime.opencl;

import java.util.List;

/**
 * A kernel, whose every launch is checked before it is made: Aparapi would end the JVM on some mistakes and pass over
 * others with a line on the standard error stream.
 */
public final class OpenClKernel {

    private final OpenClProgram program;
    private final String name;
    private final List<Parameter> parameters;
    private final AparapiAccess.Kernel kernel;
    private final long workGroupLimit;
    private boolean launched;

    /**
     * A parameter of a kernel.
     *
     * @param name its name, for messages
     * @param pointer whether it is a {@code __global} pointer; else it is an {@code int}
     */
    public record Parameter(String name, boolean pointer) {

        /** Returns a pointer to global memory. */
        public static Parameter pointer(String name) {
            return new Parameter(name, true);
        }

        /** Returns a number of type {@code int}. */
        public static Parameter number(String name) {
            return new Parameter(name, false);
        }
    }

    OpenClKernel(OpenClProgram program, String name, List<Parameter> parameters, AparapiAccess.Kernel kernel) {
        this.program = program;
        this.name = name;
        this.parameters = List.copyOf(parameters);
        this.kernel = kernel;
        OpenClDevice device = program.device();
        int expected = program.library().arguments(kernel.handle(), device.name());
        if (expected != parameters.size()) {
            throw new OpenClException(
                    "kernel " + name + " takes " + expected + " arguments, not " + parameters.size());
        }
        this.workGroupLimit = program.library().workGroupLimit(kernel.handle(), device);
        long local = program.library().localMemory(kernel.handle(), device);
        if (local > device.localMemoryBytes()) {
            throw new OpenClException("kernel " + name + " needs " + local + " bytes of local memory a work-group; "
                    + device.name() + " has " + device.localMemoryBytes());
        }
    }

    /**
     * Launches the kernel and waits until it has run. Call it within {@link OpenClProgram#exclusively}.
     *
     * @param groups number of work-groups, at least 1
     * @param items work-items of a group, at least 1
     * @param arguments one {@link DeviceBuffer} or {@link Integer} for each parameter
     * @throws IllegalArgumentException if the range or an argument is not what the kernel takes
     * @throws OpenClException if the device fails
     */
    public void launch(int groups, int items, Object... arguments) {
        program.exclusively(() -> {
            requireRange(groups, items);
            Object[] passed = passed(arguments);
            run(() -> kernel.launch(groups, items, passed));
            program.takeTime();
            return null;
        });
    }

    /**
     * Puts a launch into a queue and does not wait for it; otherwise like {@link #launch}. The arguments must stay open
     * until it has run.
     */
    void launch(CommandQueue queue, int groups, int items, Object... arguments) {
        requireRange(groups, items);
        Object[] passed = passed(arguments);
        run(() -> {
            queue.launch(kernel.handle(), name, groups, items, passed);
            if (!launched) {
                // A driver that compiles late does so before the launch has run.
                queue.finish();
            }
        });
    }

    private void run(Runnable launch) {
        if (launched) {
            launch.run();
            return;
        }
        // PoCL compiles for a work-group size when it first meets it.
        SignalHandlers.preserved(() -> {
            launch.run();
            return null;
        });
        launched = true;
    }

    private void requireRange(int groups, int items) {
        if (groups < 1 || items < 1 || (long) groups * items > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("kernel " + name + " cannot be launched with " + groups + " groups of "
                    + items + " work-items: both are at least 1, and their product at most " + Integer.MAX_VALUE);
        }
        if (items > workGroupLimit) {
            throw new IllegalArgumentException("kernel " + name + " cannot be launched with groups of " + items
                    + " work-items: at most " + workGroupLimit + " on " + program.device().name());
        }
    }

    private Object[] passed(Object[] arguments) {
        if (arguments.length != parameters.size()) {
            throw new IllegalArgumentException(
                    "kernel " + name + " takes " + parameters.size() + " arguments, not " + arguments.length);
        }
        Object[] passed = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            Parameter parameter = parameters.get(i);
            passed[i] = switch (arguments[i]) {
                case DeviceBuffer buffer when parameter.pointer() && buffer.program() == program -> buffer.handle();
                case Integer number when !parameter.pointer() -> number;
                case DeviceBuffer buffer when parameter.pointer() ->
                    throw new IllegalArgumentException("argument " + parameter.name() + " of kernel " + name
                            + " is a buffer of another program");
                case null, default ->
                    throw new IllegalArgumentException("argument " + parameter.name() + " of kernel " + name + " is "
                            + arguments[i] + ", not " + (parameter.pointer() ? "a DeviceBuffer" : "an Integer"));
            };
        }
        return passed;
    }

    String name() {
        return name;
    }

    void dispose() {
        kernel.dispose();
    }
}
