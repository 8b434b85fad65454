package dev.attune.runtime;

import dev.attune.runtime.settings.Setting;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningStore;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Tunes specifications while they are in use: one after the other, on a thread of the lowest priority that keeps no
 * process alive, each key once in a process. The system property {@code attune.tune.budget}, or the environment
 * variable {@code ATTUNE_TUNE_BUDGET}, says how long each may take; 60s if nothing is set.
 */
final class BackgroundTuning {

    private static final Logger LOGGER = System.getLogger("dev.attune");

    private static final Duration BUDGET = Duration.ofSeconds(60);

    /** Each key's tuning, waiting, under way or over. */
    private static final Map<TuningKey, CompletableFuture<Void>> BEGUN = new ConcurrentHashMap<>();

    private static final ThreadPoolExecutor TUNER = new ThreadPoolExecutor(
            1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                Thread thread = new Thread(work, "attune-tuning");
                thread.setDaemon(true);
                thread.setPriority(Thread.MIN_PRIORITY);
                return thread;
            });

    static {
        TUNER.allowCoreThreadTimeOut(true);
    }

    private BackgroundTuning() {}

    /**
     * Returns how long each key may take.
     *
     * @throws IllegalArgumentException if the setting is no duration
     */
    static Duration budget() {
        return Setting.ofProcess("attune.tune.budget").duration(BUDGET);
    }

    /**
     * Tunes if nothing was measured under that key, and nobody in this process has begun to.
     *
     * @param policy whose forbidden variants are not run
     * @param tokens tokens of the caches in use
     * @param over is called when there is nothing more to wait for, whoever measured: on the tuning thread, or at once
     * @throws IllegalArgumentException if the budget's setting is no duration
     */
    static void begin(
            KernelProvider provider,
            KernelPolicy policy,
            Platform platform,
            int tokens,
            int threads,
            Runnable over) {
        Duration budget = budget();
        int context = TuningKey.bucket(tokens);
        TuningStore store = platform.store(provider.openCl().isPresent());
        boolean measured = KnownVariants.find(provider, policy, store, context, threads)
                .flatMap(record -> KnownVariants.variant(provider, record.chosen()))
                .filter(fastest -> policy.forbidden(fastest).isEmpty())
                .isPresent();
        if (measured) {
            over.run();
            return;
        }
        BEGUN.computeIfAbsent(
                        KnownVariants.key(provider, policy, context, threads),
                        first -> CompletableFuture.runAsync(
                                () -> tune(provider, policy, platform, tokens, threads, budget), TUNER))
                .thenRun(over);
    }

    private static void tune(
            KernelProvider provider,
            KernelPolicy policy,
            Platform platform,
            int tokens,
            int threads,
            Duration budget) {
        try {
            new KernelTuner(provider, KernelTuner.Isolation.THIS_PROCESS, policy, platform)
                    .tune(tokens, threads, budget, ContestListener.SILENT);
        } catch (RuntimeException | Error failure) {
            LOGGER.log(
                    Level.WARNING,
                    "tuning " + provider.specification().getName() + " in the background failed; the default stays",
                    failure);
        }
    }
}
