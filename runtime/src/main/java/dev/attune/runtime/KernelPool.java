package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.LayerShape;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Kernels carry scratch buffers and serve one thread at a time; the pool lends them out. Shared by all caches of one
 * {@link LayerKernels}, so that a model's layers need one set of buffers per thread, not per layer.
 *
 * <p>Nothing is allocated unless more threads than ever before are at work.
 */
final class KernelPool {

    /**
     * Kernels with the buffers that calls around them need.
     *
     * @param kernels the kernels
     * @param queries {@code [queryHeads][headDim]}
     * @param output {@code [queryHeads][headDim]}
     * @param logSumExp {@code [queryHeads]}
     */
    record Lease(AttentionKernels kernels, float[] queries, float[] output, float[] logSumExp) {}

    private final Supplier<AttentionKernels> factory;
    private final LayerShape shape;
    private final AtomicReferenceArray<Lease> idle =
            new AtomicReferenceArray<>(2 * Runtime.getRuntime().availableProcessors());

    KernelPool(Supplier<AttentionKernels> factory, AttentionKernels first, LayerShape shape) {
        this.factory = factory;
        this.shape = shape;
        release(lease(first));
    }

    /** Returns idle kernels, or new ones if all are lent out. */
    Lease acquire() {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) != null) {
                Lease lease = idle.getAndSet(i, null);
                if (lease != null) {
                    return lease;
                }
            }
        }
        return lease(factory.get());
    }

    /**
     * Takes kernels back. Kernels that failed are not given back: their scratch buffers may be in any state. A full
     * pool leaves them to the garbage collector.
     */
    void release(Lease lease) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) == null && idle.compareAndSet(i, null, lease)) {
                return;
            }
        }
    }

    private Lease lease(AttentionKernels kernels) {
        int numbers = shape.queryHeads() * shape.headDim();
        return new Lease(kernels, new float[numbers], new float[numbers], new float[shape.queryHeads()]);
    }
}
