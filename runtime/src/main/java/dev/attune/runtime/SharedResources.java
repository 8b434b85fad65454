package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.LayerShape;
import java.util.function.Supplier;

/**
 * What the caches of one {@link LayerKernels} share.
 *
 * @param workspaces kernels with their buffers, one set for each thread at work
 * @param steps decode steps with their buffers, one for each caller
 * @param workers the threads that help callers
 * @param threads how many threads may work at once
 */
record SharedResources(
        LendingPool<Workspace> workspaces, LendingPool<DecodeStep> steps, WorkerPool workers, int threads) {

    /** Creates empty pools; kernels are made as threads need them. */
    static SharedResources of(
            LayerShape shape, Supplier<AttentionKernels> factory, WorkerPool workers, int threads) {
        workers.provideFor(threads);
        // Callers may be as many as processors, and twice as many; helpers and one caller as many as threads.
        int most = 2 * Math.max(threads, Runtime.getRuntime().availableProcessors());
        var workspaces = new LendingPool<>(most, () -> Workspace.of(factory.get(), shape.headDim()));
        var steps = new LendingPool<>(most, () -> new DecodeStep(shape, workspaces, workers, threads));
        return new SharedResources(workspaces, steps, workers, threads);
    }
}
