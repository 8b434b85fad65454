package dev.attune.runtime.spi;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Shares out the parts of tables that are static in a generated class, so that every call at work has one for itself;
 * thread-safe.
 *
 * <p>Kernels that look entries up by indexes from the cache have their tables in static arrays: compilers know how long
 * those are, and leave out the check of an index that cannot be too large. Instances of a class therefore share them.
 */
public final class TableParts {

    private final AtomicIntegerArray taken;

    /**
     * Creates parts, none of which is taken.
     *
     * @param count a power of two
     * @throws IllegalArgumentException if it is none
     */
    TableParts(int count) {
        if (Integer.bitCount(count) != 1) {
            throw new IllegalArgumentException("count is " + count + " but must be a power of two");
        }
        taken = new AtomicIntegerArray(count);
    }

    /**
     * Creates as many parts as there are processors, rounded up to a power of two: threads beyond them would not run
     * anyway.
     */
    public static TableParts forProcessors() {
        int processors = Runtime.getRuntime().availableProcessors();
        return new TableParts(Integer.highestOneBit(2 * processors - 1));
    }

    /** Returns the number of parts, a power of two. */
    public int count() {
        return taken.length();
    }

    /**
     * Takes a part, and waits for one if all are taken. Allocates nothing.
     *
     * @param preferred the number of the part to take if it is free: one used before, which may still be in the caches
     * @return its number, from 0 on
     */
    public int take(int preferred) {
        int part = preferred;
        while (true) {
            for (int tried = 0; tried < taken.length(); tried++) {
                part = part & taken.length() - 1;
                if (taken.compareAndSet(part, 0, 1)) {
                    return part;
                }
                part++;
            }
            Thread.yield();
        }
    }

    /**
     * Gives a part back to whoever takes it next.
     *
     * @param part its number, as {@link #take} returned it
     * @throws IllegalStateException if it was not taken
     */
    public void giveBack(int part) {
        if (!taken.compareAndSet(part, 1, 0)) {
            throw new IllegalStateException("part " + part + " is given back, but was not taken");
        }
    }
}
