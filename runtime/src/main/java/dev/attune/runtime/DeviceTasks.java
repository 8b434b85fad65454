package dev.attune.runtime;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntConsumer;

/** Runs something for several devices at once: a thread waits for each, and the caller for all. */
final class DeviceTasks {

    private DeviceTasks() {}

    /** Runs a task for every number below {@code count}; the first failure is thrown once all have ended. */
    static void run(int count, IntConsumer task) {
        CompletableFuture<?>[] others = new CompletableFuture<?>[count - 1];
        for (int i = 1; i < count; i++) {
            int number = i;
            others[i - 1] = CompletableFuture.runAsync(() -> task.accept(number), thread -> Thread.ofVirtual().start(thread));
        }
        RuntimeException failure = null;
        try {
            task.accept(0);
        } catch (RuntimeException own) {
            failure = own;
        }
        try {
            CompletableFuture.allOf(others).join();
        } catch (CompletionException theirs) {
            if (failure == null && theirs.getCause() instanceof RuntimeException cause) {
                failure = cause;
            } else if (failure == null) {
                failure = theirs;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
