package dev.attune.runtime;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Lends out objects that serve one thread at a time, such as kernels with their scratch buffers. Shared by all caches
 * of one {@link LayerKernels}, so that a model's layers need one set of buffers per thread, not per layer.
 *
 * <p>Nothing is allocated unless more objects than ever before are lent at once.
 */
final class LendingPool<T> {

    private final Supplier<T> factory;
    private final AtomicReferenceArray<T> idle;

    /**
     * Creates an empty pool.
     *
     * @param most how many idle objects it keeps
     * @param factory makes another one
     */
    LendingPool(int most, Supplier<T> factory) {
        this.factory = factory;
        this.idle = new AtomicReferenceArray<>(most);
    }

    /** Returns an idle object, or a new one if all are lent out. */
    T acquire() {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) != null) {
                T lent = idle.getAndSet(i, null);
                if (lent != null) {
                    return lent;
                }
            }
        }
        return factory.get();
    }

    /**
     * Takes an object back. One whose work failed is not given back: its buffers may be in any state. A full pool
     * leaves it to the garbage collector.
     */
    void release(T lent) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) == null && idle.compareAndSet(i, null, lent)) {
                return;
            }
        }
    }
}
