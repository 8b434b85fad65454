package dev.attune.runtime;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** A place for one thread of a pool: a daemon that is started when there is work, and ends when none came for long. */
final class Worker implements Runnable {

    /** What a worker is doing; the work it is offered takes the place of {@link #IDLE}. */
    private enum Presence {
        /** There is no thread. */
        ABSENT,
        /** There will be one soon. */
        STARTING,
        /** It waits for work. */
        IDLE,
        /** It does its share of some work. */
        BUSY
    }

    private final WorkerPool pool;
    private final String name;
    private final long keepAliveNanos;

    /** A {@link Presence}, or the {@link SharedWork} that is offered and neither taken nor withdrawn yet. */
    private final AtomicReference<Object> state = new AtomicReference<>(Presence.ABSENT);

    private volatile Thread thread;

    Worker(WorkerPool pool, int number, long keepAliveNanos) {
        this.pool = pool;
        this.name = "attune-worker-" + number;
        this.keepAliveNanos = keepAliveNanos;
    }

    /**
     * Offers work, and wakes the worker if it is idle.
     *
     * @return whether the offer stands; it is then either withdrawn, or taken and followed by {@link WorkerPool#leave}
     */
    boolean offer(SharedWork work) {
        if (state.get() == Presence.IDLE && state.compareAndSet(Presence.IDLE, work)) {
            LockSupport.unpark(thread);
            return true;
        }
        return false;
    }

    /** Starts a thread and returns true, unless there is one. */
    boolean startIfAbsent() {
        if (state.get() == Presence.ABSENT && state.compareAndSet(Presence.ABSENT, Presence.STARTING)) {
            start();
            return true;
        }
        return false;
    }

    /** Withdraws an offer and returns true, unless the work was taken, or never offered. */
    boolean withdraw(SharedWork work) {
        return state.get() == work && state.compareAndSet(work, Presence.IDLE);
    }

    boolean hasThread() {
        return state.get() != Presence.ABSENT;
    }

    private void start() {
        boolean started = false;
        try {
            Thread thread = Thread.ofPlatform()
                    .daemon()
                    .name(name)
                    .inheritInheritableThreadLocals(false)
                    .unstarted(this);
            // The caller's class loader is none of a worker's business, and must not be kept alive by it.
            thread.setContextClassLoader(null);
            thread.start();
            started = true;
        } finally {
            if (!started) {
                state.set(Presence.ABSENT);
            }
        }
    }

    @Override
    public void run() {
        thread = Thread.currentThread();
        state.set(Presence.IDLE);
        for (SharedWork work = await(); work != null; work = await()) {
            work.takePartSafely();
            // Idle before its caller goes on, who may have the next work ready at once.
            state.set(Presence.IDLE);
            pool.leave(work);
        }
    }

    /** Returns the next work, or null if none came for so long that the thread shall end. */
    private SharedWork await() {
        long now = System.nanoTime();
        long parkFrom = now + WorkerPool.IDLE_SPIN_NANOS;
        long endAt = now + keepAliveNanos;
        while (true) {
            if (state.get() instanceof SharedWork work && state.compareAndSet(work, Presence.BUSY)) {
                return work;
            }
            now = System.nanoTime();
            if (now - parkFrom < 0) {
                Thread.onSpinWait();
            } else if (now - endAt < 0) {
                // Whoever interrupted the work did not mean the wait for the next one.
                Thread.interrupted();
                LockSupport.parkNanos(this, endAt - now);
            } else if (state.compareAndSet(Presence.IDLE, Presence.ABSENT)) {
                return null;
            }
        }
    }
}
