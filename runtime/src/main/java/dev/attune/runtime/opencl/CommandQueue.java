package dev.attune.runtime.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A queue that commands are put into one after another without waiting for each, as a decode step does; Aparapi waits
 * for every launch. Commands run in order, and {@link #finish} returns when all of them have.
 *
 * <p>Taking times slows a queue down, so it has to be asked for when the queue is made.
 */
final class CommandQueue implements AutoCloseable {

    private final OpenClLibrary library;
    private final String device;
    private final boolean timed;
    private final long handle;
    private final List<Long> events = new ArrayList<>();
    private final List<Long> nanos = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment argument = arena.allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment range = arena.allocate(2L * Long.BYTES, Long.BYTES);
    private final MemorySegment event = arena.allocate(ValueLayout.ADDRESS);

    CommandQueue(OpenClLibrary library, long context, OpenClDevice device, boolean timed) {
        this.library = library;
        this.device = device.name();
        this.timed = timed;
        this.handle = library.createQueue(context, device, timed);
    }

    /**
     * Copies native memory to a buffer. The memory must stay as it is until {@link #finish} returns.
     *
     * @param pinned memory of {@link PinnedMemory}, from which the device copies by itself
     */
    void write(DeviceBuffer buffer, MemorySegment pinned) {
        library.startWrite(handle, buffer.handle(), pinned, device, "writing a buffer");
    }

    /**
     * Launches a kernel.
     *
     * @param arguments handles of buffers as {@code Long}, numbers as {@code Integer}
     */
    void launch(long kernel, String name, int groups, int items, Object[] arguments) {
        String doing = "launching kernel " + name;
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i] instanceof Integer number) {
                argument.set(ValueLayout.JAVA_INT, 0, number);
                library.setArgument(kernel, i, Integer.BYTES, argument, device, doing);
            } else {
                argument.set(ValueLayout.JAVA_LONG, 0, (Long) arguments[i]);
                library.setArgument(kernel, i, Long.BYTES, argument, device, doing);
            }
        }
        range.setAtIndex(ValueLayout.JAVA_LONG, 0, (long) groups * items);
        range.setAtIndex(ValueLayout.JAVA_LONG, 1, items);
        library.launch(handle, kernel, range, timed ? event : MemorySegment.NULL, device, doing);
        if (timed) {
            events.add(event.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    /**
     * Copies a buffer to native memory, which has its content when {@link #finish} returns.
     *
     * @param pinned memory of {@link PinnedMemory}, to which the device copies by itself
     */
    void read(DeviceBuffer buffer, MemorySegment pinned) {
        library.startRead(handle, buffer.handle(), pinned, device, "reading the results of kernels");
    }

    /** Has the commands begin; drivers may put them off until somebody waits. */
    void flush() {
        library.flush(handle, device, "starting kernels");
    }

    /** Returns when all commands have run. */
    void finish() {
        library.finish(handle, device, "waiting for kernels");
        for (long launch : events) {
            nanos.add(library.eventNanos(launch, device));
            library.releaseEvent(launch, device);
        }
        events.clear();
    }

    /** Moves the nanoseconds of the launches that were waited for into a list, if this queue takes times. */
    void takeTimes(List<Long> into) {
        into.addAll(nanos);
        nanos.clear();
    }

    /** Waits for the commands, and frees the queue. */
    @Override
    public void close() {
        try {
            finish();
        } finally {
            library.releaseQueue(handle, device);
            arena.close();
        }
    }
}
