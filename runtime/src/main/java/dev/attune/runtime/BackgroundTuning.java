package dev.attune.runtime;

import dev.attune.runtime.settings.Setting;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.TuningKey;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Tunes specifications while they are in use: one after the other, on a thread of the lowest priority that keeps no
 * process alive, each key once in a process, and among variants that do not spoil the code of what is in use. The system property {@code attune.tune.budget}, or the environment variable
 * {@code ATTUNE_TUNE_BUDGET}, says how long each may take; 60s if nothing is set.
 */
final class BackgroundTuning {

    private static final Logger LOGGER = System.getLogger("dev.attune");

    private static final Duration BUDGET = Duration.ofSeconds(60);

    private static final Set<TuningKey> BEGUN = ConcurrentHashMap.newKeySet();

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
     * Tunes if nothing was measured under that key, and nobody in this process is about to.
     *
     * @param tokens tokens of the caches in use
     * @param measured is called on the tuning thread once the record is in the store
     * @throws IllegalArgumentException if the budget's setting is no duration
     */
    static void begin(KernelProvider provider, Platform platform, int tokens, int threads, Runnable measured) {
        Duration budget = Setting.ofProcess("attune.tune.budget").duration(BUDGET);
        TuningKey key = KnownVariants.key(provider, TuningKey.bucket(tokens), threads);
        boolean known = platform.store(provider.openCl().isPresent()).find(key).isPresent();
        if (!known && BEGUN.add(key)) {
            TUNER.execute(() -> tune(provider, platform, tokens, threads, budget, measured));
        }
    }

    private static void tune(
            KernelProvider provider,
            Platform platform,
            int tokens,
            int threads,
            Duration budget,
            Runnable measured) {
        try {
            new KernelTuner(provider, KernelTuner.Isolation.THIS_PROCESS, platform, Meter.ofJvm())
                    .tune(tokens, threads, budget, ContestListener.SILENT);
            measured.run();
        } catch (RuntimeException | LinkageError failure) {
            LOGGER.log(
                    Level.WARNING,
                    "tuning " + provider.specification().getName() + " in the background failed; the default stays",
                    failure);
        }
    }
}
