package dev.attune.runtime.opencl;

import java.lang.foreign.MemorySegment;

/** Memory of a device. Closed buffers are refused by every use. */
public final class DeviceBuffer implements AutoCloseable {

    private final OpenClProgram program;
    private final long handle;
    private final long bytes;
    private boolean closed;

    DeviceBuffer(OpenClProgram program, long handle, long bytes) {
        this.program = program;
        this.handle = handle;
        this.bytes = bytes;
    }

    /** Returns its size. */
    public long bytes() {
        return bytes;
    }

    /**
     * Copies native memory to the device, and returns when that is done.
     *
     * @param offset first byte written
     * @param from native memory
     * @throws IndexOutOfBoundsException if it does not fit
     * @throws OpenClException if the device fails
     */
    public void write(long offset, MemorySegment from) {
        program.exclusively(() -> {
            long buffer = handle();
            requireRange(offset, from);
            program.library()
                    .write(program.queue(), buffer, offset, from, program.device().name(), "writing a buffer");
            return null;
        });
    }

    /**
     * Copies device memory to native memory, and returns when that is done.
     *
     * @param offset first byte read
     * @param into native memory
     * @throws IndexOutOfBoundsException if the buffer has not so much
     * @throws OpenClException if the device fails
     */
    public void read(long offset, MemorySegment into) {
        program.exclusively(() -> {
            long buffer = handle();
            requireRange(offset, into);
            program.library()
                    .read(program.queue(), buffer, offset, into, program.device().name(), "reading a buffer");
            return null;
        });
    }

    private void requireRange(long offset, MemorySegment host) {
        if (offset < 0 || host.byteSize() == 0 || offset > bytes - host.byteSize()) {
            throw new IndexOutOfBoundsException(
                    host.byteSize() + " bytes at " + offset + " of a buffer of " + bytes + " bytes");
        }
        if (!host.isNative()) {
            throw new IllegalArgumentException("heap memory: the device copies native memory only");
        }
    }

    /** Returns OpenCL's handle. */
    long handle() {
        if (closed) {
            throw new IllegalStateException("use of a closed buffer of " + bytes + " bytes");
        }
        return handle;
    }

    OpenClProgram program() {
        return program;
    }

    /** Frees the memory. Closing a closed buffer has no effect. */
    @Override
    public void close() {
        program.exclusively(() -> {
            if (!closed) {
                closed = true;
                program.library().release(handle, program.device().name());
            }
            return null;
        });
    }
}
