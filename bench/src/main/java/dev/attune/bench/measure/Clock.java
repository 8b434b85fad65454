package dev.attune.bench.measure;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Locale;

/** What time is. */
public enum Clock {

    /**
     * The processor time of the calling thread. On an idle machine that is elapsed time, for a thread that does all the
     * work itself; on a busy one, waiting for a core does not count.
     */
    PROCESSOR {
        @Override
        long nanos() {
            return THREADS.getCurrentThreadCpuTime();
        }
    },

    /** Elapsed time: what counts once several threads share the work. */
    ELAPSED {
        @Override
        long nanos() {
            return System.nanoTime();
        }
    };

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** Returns the clock for work on so many threads. */
    public static Clock forThreads(int threads) {
        return threads == 1 && THREADS.isCurrentThreadCpuTimeSupported() ? PROCESSOR : ELAPSED;
    }

    /** Returns nanoseconds since some time. */
    abstract long nanos();

    /** Returns the name it goes by in reports. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
