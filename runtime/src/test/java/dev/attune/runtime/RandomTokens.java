package dev.attune.runtime;

import java.util.Random;

/** Random keys, values and queries; says its seed, so that a failure can be repeated with {@code -Dattune.seed}. */
final class RandomTokens {

    private final Random random;

    RandomTokens(String test) {
        long seed = Long.getLong("attune.seed", System.nanoTime());
        System.out.println(test + ": -Dattune.seed=" + seed);
        random = new Random(seed);
    }

    float[] next(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
