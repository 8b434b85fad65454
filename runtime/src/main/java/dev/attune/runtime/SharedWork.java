package dev.attune.runtime;

import java.lang.reflect.UndeclaredThrowableException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Work in numbered items that a caller does, and workers with it: each item once, in any order. One caller at a time
 * may run it, as often as it likes; that allocates nothing.
 */
abstract class SharedWork {

    /** What {@link #claim} returns when every item is taken. */
    static final int NONE = -1;

    private final WorkerPool pool;
    private final int mostAtWork;

    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger helpers = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile Thread waiting;
    private int items;
    private int threads;

    /**
     * Creates work without items.
     *
     * @param pool where helpers come from
     * @param mostAtWork no helper is called while so many threads are at work in the pool, all callers included
     */
    SharedWork(WorkerPool pool, int mostAtWork) {
        this.pool = pool;
        this.mostAtWork = mostAtWork;
    }

    /** Claims items and does them until none is left. Called once by each thread that takes part. */
    abstract void takePart();

    /**
     * Does all items. If one fails, those not begun are left out, and the first failure is thrown here, whichever
     * thread it happened on; nobody works on any item any more then.
     *
     * @param items number of items
     * @param threads how many threads may take part; with 1 the caller works as if there were no pool
     */
    final void run(int items, int threads) {
        this.items = items;
        this.threads = Math.min(Math.min(threads, mostAtWork), items);
        // Helpers see these through the offer that calls them.
        next.setPlain(0);
        if (this.threads <= 1) {
            takePart();
            return;
        }
        pool.lead(this);
        awaitHelpers();
        throwFailure();
    }

    /** Returns an item nobody else has, or {@link #NONE}. */
    final int claim() {
        int item;
        if (threads <= 1) {
            item = next.getPlain();
            next.setPlain(item + 1);
        } else {
            pool.callHelpers(this);
            item = next.getAndIncrement();
        }
        return item < items ? item : NONE;
    }

    /** Takes part and keeps what goes wrong for the caller. */
    final void takePartSafely() {
        try {
            takePart();
        } catch (Throwable thrown) {
            next.set(items);
            if (!failure.compareAndSet(null, thrown) && failure.get() != thrown) {
                failure.get().addSuppressed(thrown);
            }
        }
    }

    /** Returns whether so many more helpers would each find an item and are wanted. */
    final boolean wants(int moreHelpers) {
        return next.get() + moreHelpers < items && helpers.get() + 1 < threads;
    }

    final boolean hasHelpers() {
        return helpers.get() > 0;
    }

    final int mostAtWork() {
        return mostAtWork;
    }

    /** Counts a helper that is about to be called. */
    final void helperCalled() {
        helpers.incrementAndGet();
    }

    /** Counts a helper that has done its share, or will not come. Whoever called it may go on at once. */
    final void helperLeft() {
        if (helpers.decrementAndGet() == 0) {
            LockSupport.unpark(waiting);
        }
    }

    /** Waits for those who still do an item; everyone else was sent away. Not even an interrupt ends that early. */
    private void awaitHelpers() {
        long parkFrom = System.nanoTime() + WorkerPool.WAIT_SPIN_NANOS;
        while (hasHelpers()) {
            if (System.nanoTime() - parkFrom < 0) {
                Thread.onSpinWait();
            } else {
                waiting = Thread.currentThread();
                if (hasHelpers()) {
                    LockSupport.park(this);
                }
            }
        }
        waiting = null;
    }

    private void throwFailure() {
        // Read first: an exchange on every step would cost more than a read.
        if (failure.get() == null) {
            return;
        }
        switch (failure.getAndSet(null)) {
            case RuntimeException exception -> throw exception;
            case Error error -> throw error;
            case Throwable checked -> throw new UndeclaredThrowableException(checked);
        }
    }
}
