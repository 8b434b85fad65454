package dev.attune.bench.measure;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * A fixed number of threads, the caller among them, that do a task together. Nothing is allocated per task.
 *
 * <p>Idle members spin for some microseconds, from which tasks that follow each other closely profit, and then park, so
 * that they take no time from whatever else is measured.
 */
public final class Crew implements AutoCloseable {

    private static final int SPINS = 2000;

    private final Thread[] members;
    private final AtomicInteger unfinished = new AtomicInteger();
    private IntConsumer task;
    private volatile Throwable failure;

    /** Counts the tasks. Written after {@link #task}, read before it. */
    private volatile int issued;

    /**
     * Starts the members.
     *
     * @param threads how many there are, with the caller; at least 1
     */
    public Crew(int threads) {
        members = new Thread[threads - 1];
        for (int i = 0; i < members.length; i++) {
            int member = i + 1;
            members[i] = Thread.ofPlatform().daemon().name("crew-" + member).start(() -> serve(member));
        }
    }

    /** Returns the number of threads, with the caller. */
    public int size() {
        return members.length + 1;
    }

    /**
     * Does a task and returns when every member has done its part.
     *
     * @param each is given the member's number, from 0, which is the caller, to {@code size() - 1}
     * @throws IllegalStateException if it fails on another member; the cause is what failed
     */
    public void run(IntConsumer each) {
        issue(each);
        each.accept(0);
        for (int spins = 0; unfinished.get() > 0; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        if (failure != null) {
            throw new IllegalStateException("a task failed on another thread", failure);
        }
    }

    private void issue(IntConsumer each) {
        task = each;
        unfinished.set(members.length);
        issued++;
        for (Thread member : members) {
            LockSupport.unpark(member);
        }
    }

    private void serve(int member) {
        for (int done = 0; ; done++) {
            for (int spins = 0; issued == done; spins++) {
                if (spins < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
            IntConsumer each = task;
            if (each == null) {
                return;
            }
            try {
                each.accept(member);
            } catch (RuntimeException | Error thrown) {
                failure = thrown;
            }
            unfinished.decrementAndGet();
        }
    }

    /** Dismisses the members. */
    @Override
    public void close() {
        issue(null);
    }
}
