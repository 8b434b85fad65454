package dev.attune.runtime.opencl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** The functions of the OpenCL library that Aparapi has no door to. Handles are addresses; results are checked here. */
final class OpenClLibrary {

    static final int DEVICE_TYPE = 0x1000;
    static final int DEVICE_MAX_COMPUTE_UNITS = 0x1002;
    static final int DEVICE_MAX_WORK_GROUP_SIZE = 0x1004;
    static final int DEVICE_MAX_ALLOCATION = 0x1010;
    static final int DEVICE_GLOBAL_MEMORY = 0x101F;
    static final int DEVICE_LOCAL_MEMORY = 0x1023;
    static final int DEVICE_LITTLE_ENDIAN = 0x1026;
    static final int DEVICE_AVAILABLE = 0x1027;
    static final int DEVICE_COMPILER_AVAILABLE = 0x1028;
    static final int DEVICE_NAME = 0x102B;
    static final int DRIVER_VERSION = 0x102D;
    static final int DEVICE_VERSION = 0x102F;
    static final int DEVICE_PLATFORM = 0x1031;
    static final int DEVICE_C_VERSION = 0x103D;
    static final int PLATFORM_NAME = 0x0902;

    /** The first part of an NVIDIA device's compute capability. */
    static final int NVIDIA_CAPABILITY = 0x4000;

    private static final int PROGRAM_BUILD_STATUS = 0x1181;
    private static final int PROGRAM_BUILD_LOG = 0x1183;
    private static final int KERNEL_ARGUMENTS = 0x1191;
    private static final int KERNEL_WORK_GROUP_SIZE = 0x11B0;
    private static final int KERNEL_LOCAL_MEMORY = 0x11B2;
    private static final long READ_WRITE = 1;
    private static final long HOST_MEMORY = 1 << 4;
    /** Handles are pointers that only the library follows: as numbers, they take no objects of ours. */
    private static final ValueLayout.OfLong HANDLE = JAVA_LONG;

    private static final int BLOCKING = 1;
    private static final int NON_BLOCKING = 0;
    private static final long MAP_READ_WRITE = 3;
    private static final long QUEUE_TIMES = 1 << 1;
    private static final int EVENT_START = 0x1282;
    private static final int EVENT_END = 0x1283;

    private final Linker linker = Linker.nativeLinker();
    private final SymbolLookup symbols;
    private final MethodHandle getPlatformIds;
    private final MethodHandle getPlatformInfo;
    private final MethodHandle getDeviceInfo;
    private final MethodHandle getBuildInfo;
    private final MethodHandle getKernelInfo;
    private final MethodHandle getKernelWorkGroupInfo;
    private final MethodHandle createBuffer;
    private final MethodHandle fillBuffer;
    private final MethodHandle readBuffer;
    private final MethodHandle writeBuffer;
    private final MethodHandle releaseBuffer;
    private final MethodHandle flush;
    private final MethodHandle finish;
    private final MethodHandle createQueue;
    private final MethodHandle releaseQueue;
    private final MethodHandle setArgument;
    private final MethodHandle launch;
    private final MethodHandle getEventTime;
    private final MethodHandle releaseEvent;
    private final MethodHandle map;
    private final MethodHandle unmap;

    private OpenClLibrary(SymbolLookup symbols) {
        this.symbols = symbols;
        this.getPlatformIds = function("clGetPlatformIDs", JAVA_INT, ADDRESS, ADDRESS);
        this.getPlatformInfo = function("clGetPlatformInfo", HANDLE, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        this.getDeviceInfo = function("clGetDeviceInfo", HANDLE, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        this.getBuildInfo =
                function("clGetProgramBuildInfo", HANDLE, HANDLE, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        this.getKernelInfo = function("clGetKernelInfo", HANDLE, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        this.getKernelWorkGroupInfo =
                function("clGetKernelWorkGroupInfo", HANDLE, HANDLE, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        this.createBuffer = handle(
                "clCreateBuffer", FunctionDescriptor.of(HANDLE, HANDLE, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS));
        this.fillBuffer = function(
                "clEnqueueFillBuffer",
                HANDLE, HANDLE, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
        this.readBuffer = function(
                "clEnqueueReadBuffer",
                HANDLE, HANDLE, JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
        this.writeBuffer = function(
                "clEnqueueWriteBuffer",
                HANDLE, HANDLE, JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
        this.releaseBuffer = function("clReleaseMemObject", HANDLE);
        this.flush = function("clFlush", HANDLE);
        this.finish = function("clFinish", HANDLE);
        this.createQueue = handle(
                "clCreateCommandQueue", FunctionDescriptor.of(HANDLE, HANDLE, HANDLE, JAVA_LONG, ADDRESS));
        this.releaseQueue = function("clReleaseCommandQueue", HANDLE);
        this.setArgument = function("clSetKernelArg", HANDLE, JAVA_INT, JAVA_LONG, ADDRESS);
        this.launch = function(
                "clEnqueueNDRangeKernel",
                HANDLE, HANDLE, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
        this.getEventTime = function("clGetEventProfilingInfo", HANDLE, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
        this.releaseEvent = function("clReleaseEvent", HANDLE);
        this.map = handle(
                "clEnqueueMapBuffer",
                FunctionDescriptor.of(
                        ADDRESS,
                        HANDLE, HANDLE, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS,
                        ADDRESS));
        this.unmap = function("clEnqueueUnmapMemObject", HANDLE, HANDLE, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    }

    /**
     * Loads the library and, through its loader, every driver installed.
     *
     * @throws OpenClException if there is no library or no driver; the message says which
     */
    static OpenClLibrary load() {
        String name = libraryName();
        SymbolLookup symbols = lookup(name);
        OpenClLibrary library = new OpenClLibrary(symbols);
        library.requirePlatforms();
        return library;
    }

    @SuppressWarnings("restricted")
    private static SymbolLookup lookup(String name) {
        try {
            return SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException absent) {
            throw new OpenClException("there is no OpenCL library (" + name
                    + "); install the device's driver, or ocl-icd-libopencl1 and pocl-opencl-icd for the CPU");
        }
    }

    private static String libraryName() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (system.startsWith("windows")) {
            return "OpenCL.dll";
        }
        return system.startsWith("mac") ? "/System/Library/Frameworks/OpenCL.framework/OpenCL" : "libOpenCL.so.1";
    }

    private void requirePlatforms() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            int code = status(getPlatformIds, 0, MemorySegment.NULL, count);
            if (code == ErrorName.NO_PLATFORMS || code == 0 && count.get(JAVA_INT, 0) == 0) {
                throw new OpenClException("there is no OpenCL driver installed; install that of the device, or"
                        + " pocl-opencl-icd for the CPU");
            }
            if (code != 0) {
                throw OpenClException.of("clGetPlatformIDs", code, "this machine", "asking for its drivers");
            }
        }
    }

    private MethodHandle function(String name, MemoryLayout... parameters) {
        return handle(name, FunctionDescriptor.of(JAVA_INT, parameters));
    }

    @SuppressWarnings("restricted")
    private MethodHandle handle(String name, FunctionDescriptor descriptor) {
        MemorySegment symbol = symbols.find(name)
                .orElseThrow(() -> new OpenClException(
                        "the OpenCL library lacks " + name + "; OpenCL 1.2 or newer is needed"));
        return linker.downcallHandle(symbol, descriptor);
    }

    /** Calls a function that returns an error code. */
    private static int status(MethodHandle function, Object... arguments) {
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable failure) {
            // Not OpenCL's: its functions report by codes.
            throw new AssertionError(failure);
        }
    }

    private static void require(int code, String call, String device, String doing) {
        if (code != 0) {
            throw OpenClException.of(call, code, device, doing);
        }
    }

    /** Returns a text about a device. */
    String deviceText(long device, int what) {
        return text(getDeviceInfo, "clGetDeviceInfo", device, what);
    }

    /** Returns the name of a device's platform. */
    String platformName(long device) {
        return text(getPlatformInfo, "clGetPlatformInfo", deviceNumber(device, DEVICE_PLATFORM), PLATFORM_NAME);
    }

    private static String text(MethodHandle function, String call, long handle, int what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(JAVA_LONG);
            require(status(function, handle, what, 0L, MemorySegment.NULL, size), call, "a device", "asking about it");
            MemorySegment text = arena.allocate(size.get(JAVA_LONG, 0) + 1);
            long bytes = text.byteSize();
            int code = status(function, handle, what, bytes, text, MemorySegment.NULL);
            require(code, call, "a device", "asking about it");
            return text.getString(0, StandardCharsets.UTF_8).strip();
        }
    }

    /** Returns a number about a device; those of four bytes are extended by zeros. */
    long deviceNumber(long device, int what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_LONG);
            int code = status(getDeviceInfo, device, what, JAVA_LONG.byteSize(), number, MemorySegment.NULL);
            require(code, "clGetDeviceInfo", "a device", "asking about it");
            return number.get(JAVA_LONG, 0);
        }
    }

    /** Returns whether a program's build succeeded. */
    boolean built(long program, long device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(JAVA_INT);
            int code = status(
                    getBuildInfo,
                    program,
                    device,
                    PROGRAM_BUILD_STATUS,
                    JAVA_INT.byteSize(),
                    status,
                    MemorySegment.NULL);
            return code == 0 && status.get(JAVA_INT, 0) == 0;
        }
    }

    /** Returns what the compiler said about a program. */
    String buildLog(long program, long device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(JAVA_LONG);
            int code = status(getBuildInfo, program, device, PROGRAM_BUILD_LOG, 0L, MemorySegment.NULL, size);
            if (code != 0) {
                return "no log: " + ErrorName.of(code);
            }
            MemorySegment log = arena.allocate(size.get(JAVA_LONG, 0) + 1);
            code = status(
                    getBuildInfo, program, device, PROGRAM_BUILD_LOG, log.byteSize(), log, MemorySegment.NULL);
            return code == 0 ? log.getString(0, StandardCharsets.UTF_8).strip() : "no log: " + ErrorName.of(code);
        }
    }

    /** Returns how many arguments a kernel takes. */
    int arguments(long kernel, String device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            int code = status(
                    getKernelInfo,
                    kernel,
                    KERNEL_ARGUMENTS,
                    JAVA_INT.byteSize(),
                    count,
                    MemorySegment.NULL);
            require(code, "clGetKernelInfo", device, "asking for a kernel's arguments");
            return count.get(JAVA_INT, 0);
        }
    }

    /** Returns the largest work-group a kernel can be launched with. */
    long workGroupLimit(long kernel, OpenClDevice device) {
        return workGroupInfo(kernel, device, KERNEL_WORK_GROUP_SIZE);
    }

    /** Returns the local memory a work-group of a kernel takes, in bytes. */
    long localMemory(long kernel, OpenClDevice device) {
        return workGroupInfo(kernel, device, KERNEL_LOCAL_MEMORY);
    }

    private long workGroupInfo(long kernel, OpenClDevice device, int what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_LONG);
            int code = status(
                    getKernelWorkGroupInfo,
                    kernel,
                    device.handle(),
                    what,
                    JAVA_LONG.byteSize(),
                    number,
                    MemorySegment.NULL);
            require(code, "clGetKernelWorkGroupInfo", device.name(), "asking for a kernel's limits");
            return number.get(JAVA_LONG, 0);
        }
    }

    /** Allocates device memory; some drivers allocate nothing before its first use. */
    long createBuffer(long context, long bytes, String device, String doing) {
        return createBuffer(context, READ_WRITE, bytes, device, doing);
    }

    /** Allocates host memory that the device reaches by itself. */
    long createHostBuffer(long context, long bytes, String device, String doing) {
        return createBuffer(context, READ_WRITE | HOST_MEMORY, bytes, device, doing);
    }

    private long createBuffer(long context, long flags, long bytes, String device, String doing) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(JAVA_INT);
            long buffer = (long) createBuffer.invokeExact(context, flags, bytes, MemorySegment.NULL, code);
            require(code.get(JAVA_INT, 0), "clCreateBuffer", device, doing);
            return buffer;
        } catch (OpenClException failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    /** Fills a buffer with zero bytes. */
    void clear(long queue, long buffer, long bytes, String device, String doing) {
        try (Arena arena = Arena.ofConfined()) {
            int code = status(
                    fillBuffer,
                    queue,
                    buffer,
                    arena.allocate(Integer.BYTES),
                    (long) Integer.BYTES,
                    0L,
                    bytes,
                    0,
                    MemorySegment.NULL,
                    MemorySegment.NULL);
            require(code, "clEnqueueFillBuffer", device, doing);
        }
        finish(queue, device, doing);
    }

    /** Copies from a buffer to native memory, and returns when that is done. */
    void read(long queue, long buffer, long offset, MemorySegment into, String device, String doing) {
        transfer(readBuffer, "clEnqueueReadBuffer", BLOCKING, queue, buffer, offset, into, device, doing);
    }

    /** Copies from native memory to a buffer, and returns when that is done. */
    void write(long queue, long buffer, long offset, MemorySegment from, String device, String doing) {
        transfer(writeBuffer, "clEnqueueWriteBuffer", BLOCKING, queue, buffer, offset, from, device, doing);
    }

    /** Copies from the start of a buffer to native memory some time after this has returned. */
    void startRead(long queue, long buffer, MemorySegment into, String device, String doing) {
        transfer(readBuffer, "clEnqueueReadBuffer", NON_BLOCKING, queue, buffer, 0, into, device, doing);
    }

    /** Copies from native memory to the start of a buffer some time after this has returned. */
    void startWrite(long queue, long buffer, MemorySegment from, String device, String doing) {
        transfer(writeBuffer, "clEnqueueWriteBuffer", NON_BLOCKING, queue, buffer, 0, from, device, doing);
    }

    private static void transfer(
            MethodHandle function,
            String call,
            int blocking,
            long queue,
            long buffer,
            long offset,
            MemorySegment host,
            String device,
            String doing) {
        int code;
        try {
            code = (int) function.invokeExact(
                    queue,
                    buffer,
                    blocking,
                    offset,
                    host.byteSize(),
                    host,
                    0,
                    MemorySegment.NULL,
                    MemorySegment.NULL);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        require(code, call, device, doing);
    }

    /** Frees a buffer. */
    void release(long buffer, String device) {
        int code = status(releaseBuffer, buffer);
        require(code, "clReleaseMemObject", device, "freeing a buffer");
    }

    /** Has a queue's commands begin. */
    void flush(long queue, String device, String doing) {
        ofQueue(flush, "clFlush", queue, device, doing);
    }

    /** Waits until a queue is empty. */
    void finish(long queue, String device, String doing) {
        ofQueue(finish, "clFinish", queue, device, doing);
    }

    private static void ofQueue(MethodHandle function, String call, long queue, String device, String doing) {
        int code;
        try {
            code = (int) function.invokeExact(queue);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        require(code, call, device, doing);
    }

    /** Makes a queue that runs commands in order, and takes their times if so asked. */
    long createQueue(long context, OpenClDevice device, boolean timed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(JAVA_INT);
            long queue = (long) createQueue.invokeExact(
                    context, device.handle(), timed ? QUEUE_TIMES : 0L, code);
            require(code.get(JAVA_INT, 0), "clCreateCommandQueue", device.name(), "making a queue");
            return queue;
        } catch (OpenClException failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    /** Frees a queue. */
    void releaseQueue(long queue, String device) {
        int code = status(releaseQueue, queue);
        require(code, "clReleaseCommandQueue", device, "freeing a queue");
    }

    /** Sets an argument of a kernel, for all its launches from now on. */
    void setArgument(long kernel, int index, long bytes, MemorySegment value, String device, String doing) {
        int code;
        try {
            code = (int) setArgument.invokeExact(kernel, index, bytes, value);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        require(code, "clSetKernelArg", device, doing);
    }

    /**
     * Puts a launch into a queue.
     *
     * @param range the number of work-items, and how many of them are a group
     * @param event receives the launch's event; or {@link MemorySegment#NULL}
     */
    void launch(long queue, long kernel, MemorySegment range, MemorySegment event, String device, String doing) {
        int code;
        try {
            code = (int) launch.invokeExact(
                    queue,
                    kernel,
                    1,
                    MemorySegment.NULL,
                    range,
                    range.asSlice(Long.BYTES),
                    0,
                    MemorySegment.NULL,
                    event);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        require(code, "clEnqueueNDRangeKernel", device, doing);
    }

    /** Returns the nanoseconds that a command took on the device. */
    long eventNanos(long event, String device) {
        return eventTime(event, EVENT_END, device) - eventTime(event, EVENT_START, device);
    }

    private long eventTime(long event, int what, String device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(JAVA_LONG);
            int code = status(getEventTime, event, what, JAVA_LONG.byteSize(), time, MemorySegment.NULL);
            require(code, "clGetEventProfilingInfo", device, "asking for a launch's time");
            return time.get(JAVA_LONG, 0);
        }
    }

    /** Frees an event. */
    void releaseEvent(long event, String device) {
        int code = status(releaseEvent, event);
        require(code, "clReleaseEvent", device, "freeing an event");
    }

    /** Returns the host memory of a buffer of {@link #createHostBuffer}. */
    @SuppressWarnings("restricted")
    MemorySegment map(long queue, long buffer, long bytes, String device, String doing) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(JAVA_INT);
            MemorySegment memory = (MemorySegment) map.invokeExact(
                    queue,
                    buffer,
                    BLOCKING,
                    MAP_READ_WRITE,
                    0L,
                    bytes,
                    0,
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    code);
            require(code.get(JAVA_INT, 0), "clEnqueueMapBuffer", device, doing);
            return memory.reinterpret(bytes);
        } catch (OpenClException failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    /** Gives the host memory of a buffer back. */
    void unmap(long queue, long buffer, MemorySegment memory, String device) {
        int code = status(
                unmap,
                queue,
                buffer,
                memory,
                0,
                MemorySegment.NULL,
                MemorySegment.NULL);
        require(code, "clEnqueueUnmapMemObject", device, "unmapping host memory");
    }
}
