package dev.attune.runtime.kernels;

import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.spi.KernelProvider;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Compares a cache shared out among the devices of {@code attune.opencl.device} with one in host memory, on several
 * threads. Runs in a JVM of its own, whose driver is told by its environment to pretend that there are several devices.
 */
final class ShardedCacheProbe {

    private static final int HEADS = 3;
    private static final int GROUP = 2;
    private static final int HEAD_DIM = 64;
    private static final int TOKENS = 150;

    public static void main(String[] arguments) {
        System.out.println("devices " + OpenClDevices.find().chosen().size());
        AttentionModel model = Specifications.deviceLayer("Sharded", HEADS, GROUP, HEAD_DIM);
        KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
        LayerKernels kernels = Attune.kernels(provider, Backend.OPENCL);
        double worst = IntStream.range(0, 4)
                .parallel()
                .mapToDouble(seed -> difference(kernels, Attune.kernels(provider, Backend.SCALAR), seed))
                .max()
                .orElseThrow();
        System.out.println(worst < 1e-4 ? "same" : "off by " + worst);
    }

    private static double difference(LayerKernels onDevices, LayerKernels onHost, int seed) {
        Random random = new Random(seed);
        double worst = 0;
        try (KeyValueCache sharded = onDevices.newCache(256);
                KeyValueCache host = onHost.newCache(256)) {
            float[] keys = numbers(random, HEADS * TOKENS * HEAD_DIM);
            float[] values = numbers(random, HEADS * TOKENS * HEAD_DIM);
            float[] window = numbers(random, HEADS * GROUP * 4 * HEAD_DIM);
            for (KeyValueCache cache : List.of(sharded, host)) {
                cache.prefill(keys, values, window);
            }
            for (int step = 0; step < 20; step++) {
                float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
                float[] expected = new float[queries.length];
                float[] actual = queries.clone();
                host.attend(queries, expected);
                sharded.attend(actual, actual);
                worst = Math.max(worst, IntStream.range(0, actual.length)
                        .mapToDouble(i -> Math.abs(expected[i] - actual[i]))
                        .max()
                        .orElseThrow());
                float[] key = Arrays.copyOf(keys, HEADS * HEAD_DIM);
                for (KeyValueCache cache : List.of(sharded, host)) {
                    cache.append(key, key);
                }
            }
        }
        return worst;
    }

    private static float[] numbers(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
