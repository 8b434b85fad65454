package dev.attune.examples.linear;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Runs numbered tasks on all cores, handing them out one by one so that uneven tasks balance. */
public final class ParallelTasks {

    private ParallelTasks() {}

    /**
     * Runs {@code body} once for each number from 0 to {@code tasks - 1}, lowest first, and returns when all are done.
     * May be called from within a task: a waiting thread takes part in the work.
     */
    public static void run(int tasks, IntConsumer body) {
        int workers = Math.min(tasks, ForkJoinPool.getCommonPoolParallelism() + 1);
        if (workers <= 1) {
            for (int task = 0; task < tasks; task++) {
                body.accept(task);
            }
            return;
        }
        AtomicInteger next = new AtomicInteger();
        IntStream.range(0, workers).parallel().forEach(worker -> {
            for (int task = next.getAndIncrement(); task < tasks; task = next.getAndIncrement()) {
                body.accept(task);
            }
        });
    }
}
