package dev.attune.runtime.opencl;

import java.lang.foreign.MemorySegment;

/**
 * Host memory that the device copies from and to by itself, without the driver's copying it elsewhere first: that of a
 * buffer which is mapped as long as it lives.
 */
final class PinnedMemory implements AutoCloseable {

    private final OpenClProgram program;
    private final long buffer;
    private final MemorySegment mapped;
    private final MemorySegment segment;
    private boolean closed;

    PinnedMemory(OpenClProgram program, long buffer, MemorySegment mapped, MemorySegment segment) {
        this.program = program;
        this.buffer = buffer;
        this.mapped = mapped;
        this.segment = segment;
    }

    /** Returns the memory, which can be used as long as the arena it was given. */
    MemorySegment segment() {
        return segment;
    }

    /** Frees the memory; its arena must have been closed before. Closing it again has no effect. */
    @Override
    public void close() {
        program.exclusively(() -> {
            if (!closed) {
                closed = true;
                String device = program.device().name();
                program.library().unmap(program.queue(), buffer, mapped, device);
                program.library().finish(program.queue(), device, "unmapping host memory");
                program.library().release(buffer, device);
            }
            return null;
        });
    }
}
