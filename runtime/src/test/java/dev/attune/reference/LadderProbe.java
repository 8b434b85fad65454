package dev.attune.reference;

import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;

/**
 * Run in a JVM of its own: prints the module the runtime is in, the backend, its ladder, one attention step, and
 * whether a thread tunes in the background.
 */
public final class LadderProbe {

    private LadderProbe() {}

    public static void main(String[] arguments) {
        System.out.println("runtime in " + Attune.class.getModule());
        LayerKernels kernels = Attune.kernels(SmallLayer.class);
        Attune.kernels(SmallLayer.class);
        System.out.println("backend " + kernels.backend());
        kernels.ladder().forEach(System.out::println);
        System.out.println("threads " + kernels.threads());
        try (KeyValueCache cache = kernels.newCache(64)) {
            cache.append(new float[2 * 16], new float[2 * 16]);
            float[] logSumExp = new float[4];
            cache.attend(new float[4 * 16], new float[4 * 16], logSumExp);
            System.out.println("log-sum-exp " + logSumExp[0]);
        }
        Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("attune-tuning"))
                .forEach(thread -> System.out.println("still tuning, daemon " + thread.isDaemon()));
    }
}
