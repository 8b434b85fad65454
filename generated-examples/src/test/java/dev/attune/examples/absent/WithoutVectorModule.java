package dev.attune.examples.absent;

import dev.attune.examples.bytelm.ByteLmCentredKeys80Values80;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import java.util.Random;

/** Run in a JVM of its own: decodes one step on generated kernels and prints the backend and the output. */
public final class WithoutVectorModule {

    private static final int TOKENS = 200;

    private WithoutVectorModule() {}

    public static void main(String[] arguments) {
        LayerKernels kernels = Attune.kernels(ByteLmCentredKeys80Values80.class);
        System.out.println("backend " + kernels.backend());
        for (float each : decode(kernels)) {
            System.out.println(Float.floatToIntBits(each));
        }
    }

    /** Packs the same random prompt every time and attends to it. */
    static float[] decode(LayerKernels kernels) {
        Random random = new Random(5);
        int headDim = kernels.shape().headDim();
        int tokenNumbers = kernels.shape().keyValueHeads() * headDim;
        int queryNumbers = kernels.shape().queryHeads() * headDim;
        float[] output = new float[queryNumbers];
        try (KeyValueCache cache = kernels.newCache(TOKENS)) {
            cache.prefill(
                    gaussians(random, TOKENS * tokenNumbers),
                    gaussians(random, TOKENS * tokenNumbers),
                    gaussians(random, 32 * queryNumbers));
            cache.attend(gaussians(random, queryNumbers), output);
        }
        return output;
    }

    private static float[] gaussians(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
