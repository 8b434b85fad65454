package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.UndeclaredThrowableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class WorkerPoolTest {

    private static final int MANY = 8;

    private WorkerPool pool = new WorkerPool(TimeUnit.MINUTES.toNanos(1));

    /** An item as a test writes it. */
    private interface Item {
        void perform(int item) throws Exception;
    }

    private final class Items extends SharedWork {

        private final Item item;

        Items(int mostAtWork, Item item) {
            super(pool, mostAtWork);
            pool.provideFor(mostAtWork);
            this.item = item;
        }

        @Override
        void takePart() {
            for (int i = claim(); i != NONE; i = claim()) {
                try {
                    item.perform(i);
                } catch (RuntimeException exception) {
                    throw exception;
                } catch (Exception exception) {
                    throw new AssertionError(exception);
                }
            }
        }
    }

    /** Runs work until as many threads as may take part have done so at the same time: all workers are awake then. */
    private Set<Thread> gather(int threads) throws InterruptedException {
        Set<Thread> met = ConcurrentHashMap.newKeySet();
        while (met.size() < threads) {
            met.clear();
            AtomicInteger present = new AtomicInteger();
            new Items(threads, item -> {
                met.add(Thread.currentThread());
                present.incrementAndGet();
                long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20);
                while (present.get() < threads && System.nanoTime() < end) {
                    Thread.yield();
                }
            }).run(threads, threads);
        }
        return met;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, MANY})
    void everyItemIsDoneOnce(int threads) {
        for (int items : new int[] {1, 2, 3, 7, 100}) {
            AtomicIntegerArray done = new AtomicIntegerArray(items);
            Items work = new Items(threads, done::incrementAndGet);
            for (int run = 1; run <= 200; run++) {
                work.run(items, threads);
                for (int item = 0; item < items; item++) {
                    assertEquals(run, done.get(item));
                }
            }
        }
    }

    @Test
    void allThreadsTakePart() throws Exception {
        Set<Thread> met = gather(MANY);
        assertEquals(MANY, met.size());
        assertTrue(met.contains(Thread.currentThread()), "the caller works, too");
    }

    @Test
    void oneThreadIsTheCallersAndStartsNoOther() {
        Set<Thread> met = ConcurrentHashMap.newKeySet();
        new Items(MANY, item -> met.add(Thread.currentThread())).run(100, 1);
        new Items(1, item -> met.add(Thread.currentThread())).run(100, MANY);
        assertEquals(Set.of(Thread.currentThread()), met);
        assertFalse(pool.hasThreads());
    }

    @Test
    void workersAreDaemonsThatKeepNoClassLoader() throws Exception {
        for (Thread thread : gather(3)) {
            if (thread != Thread.currentThread()) {
                assertTrue(thread.isDaemon());
                assertTrue(thread.getName().matches("attune-worker-[12]"), thread.getName());
                assertSame(null, thread.getContextClassLoader());
            }
        }
    }

    @Test
    void idleWorkersEndAndOthersAreStartedWhenNeeded() throws Exception {
        pool = new WorkerPool(TimeUnit.MILLISECONDS.toNanos(100));
        Set<Thread> first = gather(3);
        first.remove(Thread.currentThread());
        for (Thread thread : first) {
            thread.join(60_000);
            assertFalse(thread.isAlive());
        }
        assertFalse(pool.hasThreads());
        Set<Thread> second = gather(3);
        assertEquals(3, second.size());
        second.retainAll(first);
        assertEquals(Set.of(), second);
    }

    @Test
    void aFailureOnAWorkerReachesTheCallerAndThePoolGoesOn() throws Exception {
        gather(2);
        for (Throwable failure : List.of(new IllegalStateException("worker"), new StackOverflowError())) {
            Throwable thrown = null;
            while (thrown == null) {
                // A worker that is late gives no failure: again, then.
                thrown = failureOf(new Items(2, item -> {
                    if (Thread.currentThread().isDaemon()) {
                        WorkerPoolTest.<RuntimeException>sneak(failure);
                    }
                    Thread.sleep(1);
                }));
            }
            assertSame(failure, thrown);
            gather(2);
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable failure) throws E {
        throw (E) failure;
    }

    private static Throwable failureOf(SharedWork work) {
        try {
            work.run(20, 2);
            return null;
        } catch (RuntimeException | Error failure) {
            return failure;
        }
    }

    @Test
    void checkedExceptionsAreWrapped() throws Exception {
        gather(2);
        var error = assertThrows(
                UndeclaredThrowableException.class,
                () -> {
                    var work = new SharedWork(pool, 2) {
                        @Override
                        void takePart() {
                            WorkerPoolTest.<RuntimeException>sneak(new java.io.IOException("checked"));
                        }
                    };
                    work.run(2, 2);
                });
        assertEquals("checked", error.getCause().getMessage());
    }

    @Test
    void afterAFailureNoOtherItemIsBegunAndSecondFailuresAreSuppressed() throws Exception {
        gather(2);
        Throwable failure = null;
        while (failure == null || failure.getSuppressed().length == 0) {
            AtomicInteger begun = new AtomicInteger();
            CyclicBarrier both = new CyclicBarrier(2);
            var work = new Items(2, item -> {
                begun.incrementAndGet();
                try {
                    both.await(20, TimeUnit.MILLISECONDS);
                } catch (Exception late) {
                    // The worker did not come in time: one failure only.
                }
                throw new IllegalStateException("item " + item);
            });
            failure = assertThrows(IllegalStateException.class, () -> work.run(1000, 2));
            assertTrue(begun.get() <= 2, begun + " items were begun");
        }
        assertNotEquals(failure.getMessage(), failure.getSuppressed()[0].getMessage());
    }

    @Test
    void aFailureIsThrownOnlyWhenNobodyWorksAnyMore() throws Exception {
        gather(2);
        boolean together = false;
        while (!together) {
            CountDownLatch workerInside = new CountDownLatch(1);
            AtomicBoolean working = new AtomicBoolean();
            var work = new Items(2, item -> {
                if (Thread.currentThread().isDaemon()) {
                    working.set(true);
                    workerInside.countDown();
                    Thread.sleep(50);
                    working.set(false);
                } else {
                    workerInside.await(20, TimeUnit.MILLISECONDS);
                    throw new IllegalStateException("caller");
                }
            });
            assertThrows(IllegalStateException.class, () -> work.run(100, 2));
            assertFalse(working.get());
            together = workerInside.getCount() == 0;
        }
    }

    @Test
    void aCallerWorksAloneWhileAllWorkersAreBusy() throws Exception {
        gather(2);
        CountDownLatch opened = new CountDownLatch(1);
        CountDownLatch inside = new CountDownLatch(2);
        try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
            var busy = threads.submit(() -> new Items(2, item -> {
                inside.countDown();
                opened.await();
            }).run(2, 2));
            try {
                assertTrue(inside.await(30, TimeUnit.SECONDS));
                Set<Thread> met = ConcurrentHashMap.newKeySet();
                new Items(2, item -> met.add(Thread.currentThread())).run(100, 2);
                assertEquals(Set.of(Thread.currentThread()), met);
            } finally {
                opened.countDown();
            }
            busy.get();
        }
    }

    @Test
    void noHelperIsCalledWhileTheMostAreAtWork() throws Exception {
        gather(MANY);
        AtomicInteger atWork = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Callable<Void>> callers = new ArrayList<>();
        for (int caller = 0; caller < 2; caller++) {
            callers.add(() -> {
                Items work = new Items(4, item -> {
                    most.accumulateAndGet(atWork.incrementAndGet(), Math::max);
                    Thread.sleep(0, 100_000);
                    atWork.decrementAndGet();
                });
                for (int run = 0; run < 30; run++) {
                    work.run(20, MANY);
                }
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(callers.size())) {
            for (Future<Void> future : threads.invokeAll(callers)) {
                future.get();
            }
        }
        // A caller is never turned away: the second may find four at work already.
        assertTrue(most.get() <= 5, most + " threads at work");
        assertTrue(most.get() > 2, "nobody helped");
    }

    @Test
    void workWithinWorkDoesNotBlock() {
        AtomicInteger done = new AtomicInteger();
        for (int run = 0; run < 50; run++) {
            new Items(3, outer -> new Items(3, middle -> new Items(3, inner -> done.incrementAndGet()).run(4, 3))
                    .run(4, 3))
                    .run(4, 3);
        }
        assertEquals(50 * 4 * 4 * 4, done.get());
    }

    @Test
    void manyCallersShareThePool() throws Exception {
        List<Callable<Void>> callers = new ArrayList<>();
        for (int caller = 0; caller < 6; caller++) {
            int threads = 2 + caller % 3;
            callers.add(() -> {
                AtomicInteger sum = new AtomicInteger();
                Items work = new Items(threads, sum::addAndGet);
                for (int run = 0; run < 3000; run++) {
                    sum.set(0);
                    work.run(17, threads);
                    assertEquals(16 * 17 / 2, sum.get());
                }
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(callers.size());
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> futures = new ArrayList<>();
            for (Callable<Void> caller : callers) {
                futures.add(threads.submit(caller));
                futures.add(virtual.submit(caller));
            }
            for (Future<Void> future : futures) {
                future.get();
            }
        }
    }

    @Test
    void anInterruptedCallerFinishesAndStaysInterrupted() {
        AtomicInteger done = new AtomicInteger();
        Thread.currentThread().interrupt();
        for (int run = 0; run < 100; run++) {
            new Items(3, item -> done.incrementAndGet()).run(50, 3);
        }
        assertTrue(Thread.interrupted());
        assertEquals(5000, done.get());
    }
}
