package dev.attune.runtime;

import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the caches of one {@link LayerKernels} share.
 *
 * @param workspaces kernels of the chosen variant with their buffers, one set for each thread at work: for packing, and
 *     for decoding where nothing else was measured to be faster
 * @param schedule the kernels that decode
 * @param steps decode steps with their buffers, one for each caller
 * @param workers the threads that help callers
 * @param threads how many threads may work at once
 */
record SharedResources(
        LendingPool<Workspace> workspaces,
        DecodeSchedule schedule,
        LendingPool<DecodeStep> steps,
        WorkerPool workers,
        int threads) {

    /**
     * Creates empty pools; kernels are made as threads need them.
     *
     * @param variant the chosen variant
     * @param fastest the fastest variants by context length, where they were measured; all of them can run here
     */
    static SharedResources of(
            KernelProvider provider,
            KernelVariant variant,
            Map<Integer, KernelVariant> fastest,
            WorkerPool workers,
            int threads) {
        workers.provideFor(threads);
        LendingPool<Workspace> workspaces = pool(provider, variant, threads);
        var schedule = new DecodeSchedule(stages(provider, variant, workspaces, fastest, threads));
        var steps = new LendingPool<>(
                most(threads), () -> new DecodeStep(provider.shape(), schedule, workers, threads));
        return new SharedResources(workspaces, schedule, steps, workers, threads);
    }

    private static List<DecodeSchedule.Stage> stages(
            KernelProvider provider,
            KernelVariant variant,
            LendingPool<Workspace> workspaces,
            Map<Integer, KernelVariant> fastest,
            int threads) {
        Map<KernelVariant, LendingPool<Workspace>> pools = new HashMap<>(Map.of(variant, workspaces));
        List<DecodeSchedule.Stage> stages = new ArrayList<>();
        fastest.forEach((contextTokens, each) -> stages.add(new DecodeSchedule.Stage(
                contextTokens, each, pools.computeIfAbsent(each, other -> pool(provider, other, threads)))));
        return stages.isEmpty() ? List.of(new DecodeSchedule.Stage(1, variant, workspaces)) : stages;
    }

    private static LendingPool<Workspace> pool(KernelProvider provider, KernelVariant variant, int threads) {
        return new LendingPool<>(
                most(threads), () -> Workspace.of(provider.create(variant), provider.shape().headDim()));
    }

    /** Callers may be as many as processors, and twice as many; helpers and one caller as many as threads. */
    private static int most(int threads) {
        return 2 * Math.max(threads, Runtime.getRuntime().availableProcessors());
    }

    /** Lets the decode steps that begin from now on use the fastest variants as they are known now. */
    void use(KernelProvider provider, KernelVariant variant, Map<Integer, KernelVariant> fastest) {
        schedule.replace(stages(provider, variant, workspaces, fastest, threads));
    }
}
