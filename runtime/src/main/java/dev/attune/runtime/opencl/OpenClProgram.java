package dev.attune.runtime.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A program built for one device, with the context its buffers live in and the queue its kernels run on.
 *
 * <p>The queue runs commands in order, and a kernel's arguments belong to the kernel, not to its launch: sequences of
 * writes, launches and reads run one at a time, under {@link #exclusively}.
 */
public final class OpenClProgram implements AutoCloseable {

    private final OpenClDevice device;
    private final OpenClLibrary library;
    private final AparapiAccess.Program program;
    private final List<OpenClKernel> kernels = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private CommandQueue steps;
    private List<Long> launchNanos;
    private boolean closed;

    private OpenClProgram(OpenClDevice device, OpenClLibrary library, AparapiAccess.Program program) {
        this.device = device;
        this.library = library;
        this.program = program;
        this.steps = new CommandQueue(library, program.context(), device, false);
    }

    /**
     * Builds a program.
     *
     * @param device a device that is {@linkplain OpenClDevice#usable() usable}
     * @param source OpenCL C 1.2
     * @throws OpenClException if the compiler refuses it; the message has its log and the numbered source
     */
    public static OpenClProgram build(OpenClDevice device, String source) {
        OpenClLibrary library = OpenClDevices.find().library();
        AparapiAccess.Program program = SignalHandlers.preserved(() -> AparapiAccess.build(device, source));
        if (!library.built(program.handle(), device.handle())) {
            String log = library.buildLog(program.handle(), device.handle());
            program.dispose();
            throw new OpenClException(
                    "clBuildProgram failed on " + device.name() + ":\n" + log + "\n\n" + numbered(source),
                    // CL_BUILD_PROGRAM_FAILURE
                    -11);
        }
        if (program.context() == 0 || program.queue() == 0) {
            program.dispose();
            throw new OpenClException("Aparapi made no context or queue for " + device.name()
                    + "; what it printed to the standard error stream may tell why");
        }
        try {
            return new OpenClProgram(device, library, program);
        } catch (OpenClException failure) {
            program.dispose();
            throw failure;
        }
    }

    private static String numbered(String source) {
        StringBuilder text = new StringBuilder();
        int[] line = {0};
        source.lines().forEach(content -> text.append(String.format(Locale.ROOT, "%5d  %s%n", ++line[0], content)));
        return text.toString();
    }

    /** Returns the device it was built for. */
    public OpenClDevice device() {
        return device;
    }

    /**
     * Returns a kernel.
     *
     * @param name its name
     * @param parameters its parameters, in order
     * @throws OpenClException if there is none of that name, or it has another number of parameters
     */
    public OpenClKernel kernel(String name, List<OpenClKernel.Parameter> parameters) {
        return exclusively(() -> {
            AparapiAccess.Kernel kernel = program.kernel(name, parameters);
            if (kernel == null) {
                throw new OpenClException("the program for " + device.name() + " has no kernel " + name);
            }
            OpenClKernel created = new OpenClKernel(this, name, parameters, kernel);
            kernels.add(created);
            return created;
        });
    }

    /**
     * Allocates device memory, filled with zeros.
     *
     * @param bytes its size, a positive multiple of 4
     * @param purpose what it is for, in words for error messages
     * @throws OpenClException if the device has no room for it
     */
    public DeviceBuffer allocate(long bytes, String purpose) {
        if (bytes <= 0 || bytes % Integer.BYTES != 0) {
            throw new IllegalArgumentException(bytes + " bytes: a buffer has a positive multiple of 4");
        }
        String doing = "allocating " + bytes + " bytes for " + purpose;
        if (bytes > device.memoryBytes()) {
            throw OpenClException.of("an allocation", ErrorName.OUT_OF_DEVICE_MEMORY, device.name(),
                    doing + ", which has " + device.memoryBytes() + " bytes of memory");
        }
        return exclusively(() -> {
            long buffer = library.createBuffer(program.context(), bytes, device.name(), doing);
            try {
                // Drivers may put off the allocation until a buffer is used: better to fail now.
                library.clear(program.queue(), buffer, bytes, device.name(), doing);
            } catch (OpenClException failure) {
                library.release(buffer, device.name());
                throw failure;
            }
            return new DeviceBuffer(this, buffer, bytes);
        });
    }

    /**
     * Allocates host memory that the device copies from and to by itself.
     *
     * @param bytes its size
     * @param purpose what it is for, in words for error messages
     * @param arena bounds the use of the memory; to be closed before the memory is
     * @throws OpenClException if there is no room for it
     */
    @SuppressWarnings("restricted")
    PinnedMemory pin(long bytes, String purpose, Arena arena) {
        String doing = "allocating " + bytes + " bytes of host memory for " + purpose;
        return exclusively(() -> {
            long buffer = library.createHostBuffer(program.context(), bytes, device.name(), doing);
            try {
                MemorySegment mapped = library.map(program.queue(), buffer, bytes, device.name(), doing);
                return new PinnedMemory(this, buffer, mapped, mapped.reinterpret(arena, null));
            } catch (OpenClException failure) {
                library.release(buffer, device.name());
                throw failure;
            }
        });
    }

    /**
     * Runs a sequence of commands that no other thread's come between.
     *
     * @throws IllegalStateException if the program is closed
     */
    public <T> T exclusively(Supplier<T> commands) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the program for " + device.name() + " is closed");
            }
            return commands.get();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Begins or ends the taking of launches' times, which slows decode steps down.
     *
     * @throws OpenClException if the device refuses a queue that takes times
     */
    public void takeTimes(boolean wanted) {
        exclusively(() -> {
            if (wanted != (launchNanos != null)) {
                CommandQueue other = new CommandQueue(library, program.context(), device, wanted);
                steps.close();
                steps = other;
                launchNanos = wanted ? new ArrayList<>() : null;
            }
            return null;
        });
    }

    /**
     * Returns the nanoseconds that each launch since the last call took on the device, in their order; none unless
     * {@linkplain #takeTimes times are taken}.
     */
    public long[] launchNanos() {
        return exclusively(() -> {
            if (launchNanos == null) {
                return new long[0];
            }
            long[] nanos = launchNanos.stream().mapToLong(Long::longValue).toArray();
            launchNanos.clear();
            return nanos;
        });
    }

    /** Takes the time of the launch that has just run: Aparapi keeps that of the last one. */
    void takeTime() {
        if (launchNanos != null) {
            program.launchNanos().forEach(launchNanos::add);
        }
    }

    /**
     * Puts commands into the queue, which are to wait for one another in the end; if one of them fails, those before it
     * are waited for. Call it within {@link #exclusively}.
     */
    void queue(Consumer<CommandQueue> commands) {
        try {
            commands.accept(steps);
            if (launchNanos != null) {
                steps.takeTimes(launchNanos);
            }
        } catch (RuntimeException failure) {
            try {
                // What is under way must not read memory that the next step writes.
                steps.finish();
            } catch (OpenClException another) {
                failure.addSuppressed(another);
            }
            throw failure;
        }
    }

    OpenClLibrary library() {
        return library;
    }

    long queue() {
        return program.queue();
    }

    /** Frees the program and its kernels. Buffers must have been closed before. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                steps.close();
                kernels.forEach(OpenClKernel::dispose);
                program.dispose();
            }
        } finally {
            lock.unlock();
        }
    }
}
