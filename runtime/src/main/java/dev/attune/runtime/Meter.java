package dev.attune.runtime;

import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/**
 * What a trial reads before and after steps.
 *
 * @param nanoTime a clock that never goes back, such as {@link System#nanoTime}
 * @param allocatedBytes what the thread at hand has allocated on the heap so far
 */
record Meter(LongSupplier nanoTime, LongSupplier allocatedBytes) {

    /**
     * Returns the meter of this JVM. One without the module {@code jdk.management} does not count allocations: then
     * nothing ever seems to be allocated.
     */
    static Meter ofJvm() {
        boolean counting = ModuleLayer.boot().findModule("jdk.management").isPresent();
        return new Meter(System::nanoTime, counting ? Allocations::soFar : () -> 0);
    }

    /** Loaded only where its module is. */
    private static final class Allocations {

        private static final com.sun.management.ThreadMXBean THREADS =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

        static long soFar() {
            return THREADS.getCurrentThreadAllocatedBytes();
        }
    }
}
