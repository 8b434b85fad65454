package dev.attune.runtime;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads that help callers with {@link SharedWork}.
 *
 * <p>Callers never wait for a worker to become free: they begin at once, on their own thread, and whoever is idle joins
 * them. A worker that was called but has not begun when the work is done is sent away. So work within work cannot
 * block, and several callers may use the pool at once.
 *
 * <p>Calling a sleeping worker costs microseconds. Therefore everyone who takes part calls up to two others, as long as
 * there is work for them: the number of threads at work doubles with each wake-up, and nobody is delayed by more than
 * two.
 */
final class WorkerPool {

    /** An idle library keeps no threads, and no class loader by them. */
    private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** The one all caches share, so that the number of threads does not grow with that of specifications. */
    static final WorkerPool SHARED = new WorkerPool(KEEP_ALIVE_NANOS);

    /**
     * How long an idle worker looks for new work before it sleeps. Waking a thread takes about as long; so this costs
     * at most twice what the best choice would have cost.
     */
    static final long IDLE_SPIN_NANOS = 50_000;

    /**
     * How long a caller looks for the end of its helpers' last items before it sleeps: longer than an item takes, so
     * that it gives up its processor only when a helper has lost its own.
     */
    static final long WAIT_SPIN_NANOS = 200_000;

    /** How many workers one thread calls before it goes on. */
    private static final int CALLS = 2;

    private final long keepAliveNanos;

    /** Only ever replaced by longer ones that begin with the same workers. */
    private volatile Worker[] workers = {};

    /** Callers and helpers that do items at this moment. */
    private final AtomicInteger atWork = new AtomicInteger();

    /**
     * Creates a pool without workers.
     *
     * @param keepAliveNanos how long a worker waits for work before its thread ends
     */
    WorkerPool(long keepAliveNanos) {
        this.keepAliveNanos = keepAliveNanos;
    }

    /** Makes sure that so many threads can work at once, a caller among them. Starts none yet. */
    synchronized void provideFor(int threads) {
        int before = workers.length;
        if (threads - 1 > before) {
            Worker[] more = Arrays.copyOf(workers, threads - 1);
            for (int i = before; i < more.length; i++) {
                more[i] = new Worker(this, i + 1, keepAliveNanos);
            }
            workers = more;
        }
    }

    /** Does a share of the work on the caller's thread, and sends away those who have not begun theirs by then. */
    void lead(SharedWork work) {
        atWork.incrementAndGet();
        work.takePartSafely();
        for (int i = 0; i < workersFor(work) && work.hasHelpers(); i++) {
            if (workers[i].withdraw(work)) {
                leave(work);
            }
        }
        atWork.decrementAndGet();
    }

    /** Calls up to two idle workers if there is work for them. */
    void callHelpers(SharedWork work) {
        int called = 0;
        while (called < CALLS && work.wants(called + 1) && callHelper(work)) {
            called++;
        }
    }

    private boolean callHelper(SharedWork work) {
        if (atWork.get() >= work.mostAtWork()) {
            return false;
        }
        if (atWork.incrementAndGet() > work.mostAtWork()) {
            atWork.decrementAndGet();
            return false;
        }
        // Counted before it is called, since it may be done before the call returns.
        work.helperCalled();
        boolean called = false;
        try {
            called = offer(work);
        } finally {
            if (!called) {
                leave(work);
            }
        }
        return called;
    }

    /**
     * Offers work to one idle worker. If there is none, a thread is started that will be idle soon: that takes long,
     * and the caller has better things to do than to wait for it.
     */
    private boolean offer(SharedWork work) {
        int count = workersFor(work);
        for (int i = 0; i < count; i++) {
            if (workers[i].offer(work)) {
                return true;
            }
        }
        for (int i = 0; i < count; i++) {
            if (workers[i].startIfAbsent()) {
                return false;
            }
        }
        return false;
    }

    private int workersFor(SharedWork work) {
        return work.mostAtWork() - 1;
    }

    /** Ends the part of a helper that was called. */
    void leave(SharedWork work) {
        atWork.decrementAndGet();
        work.helperLeft();
    }

    /** Whether there are threads, for tests. */
    boolean hasThreads() {
        return Arrays.stream(workers).anyMatch(Worker::hasThread);
    }
}
