package dev.attune.runtime;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets either one writer or several readers into a cache, and turns away whoever comes at the wrong time.
 *
 * <p>Nobody ever waits: two threads that write to one cache, or read while it changes, are a fault of the caller, and
 * waiting would hide it. Leaving one operation and entering the next are atomic updates of one variable, so a reader
 * sees everything a finished writer wrote.
 */
final class AccessGuard {

    private static final int IDLE = 0;
    private static final int CLOSED = Integer.MIN_VALUE;

    /** Readers are counted in two fields of the state, so that a refused writer can be told what is in progress. */
    private static final int ONE_ATTEND = 1;

    private static final int ONE_RECONSTRUCT = 1 << 16;

    private static final Operation[] OPERATIONS = Operation.values();

    /** {@link #IDLE}, {@link #CLOSED}, a positive count of readers, or {@code -1 - ordinal} of the writer. */
    private final AtomicInteger state = new AtomicInteger(IDLE);

    /**
     * Starts an operation; every successful call is followed by one of {@link #exit}.
     *
     * @throws IllegalStateException if the cache is closed or the operation cannot run beside one in progress
     */
    void enter(Operation operation) {
        int seen;
        int next;
        do {
            seen = state.get();
            if (seen == CLOSED) {
                throw closed(operation);
            }
            boolean admitted = operation.reads() ? seen >= IDLE : seen == IDLE;
            if (!admitted) {
                throw refused(operation, seen);
            }
            next = operation.reads() ? seen + unit(operation) : -1 - operation.ordinal();
        } while (!state.compareAndSet(seen, next));
    }

    /** Ends an operation that {@link #enter} admitted. */
    void exit(Operation operation) {
        if (operation.reads()) {
            state.addAndGet(-unit(operation));
        } else {
            state.set(IDLE);
        }
    }

    /**
     * Turns every later operation away.
     *
     * @return whether this call closed the guard; false if it was closed before
     * @throws IllegalStateException if an operation is in progress
     */
    boolean close() {
        int seen = state.compareAndExchange(IDLE, CLOSED);
        if (seen != IDLE && seen != CLOSED) {
            throw refused(Operation.CLOSE, seen);
        }
        return seen == IDLE;
    }

    /**
     * Refuses a question about the contents of a closed cache. Anything else may be in progress.
     *
     * @throws IllegalStateException if the cache is closed
     */
    void requireOpen(String question) {
        if (state.get() == CLOSED) {
            throw closed(question);
        }
    }

    private static int unit(Operation operation) {
        return operation == Operation.ATTEND ? ONE_ATTEND : ONE_RECONSTRUCT;
    }

    private static IllegalStateException closed(Object operation) {
        return new IllegalStateException(operation + " on a closed cache");
    }

    private static IllegalStateException refused(Operation operation, int seen) {
        Operation other = seen < IDLE
                ? OPERATIONS[-1 - seen]
                : (seen & (ONE_RECONSTRUCT - 1)) > 0 ? Operation.ATTEND : Operation.RECONSTRUCT;
        return new IllegalStateException(operation + " while " + other + " is in progress on another thread;"
                + " a cache serves several readers or one writer at a time");
    }
}
