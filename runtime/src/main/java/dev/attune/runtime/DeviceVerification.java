package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/**
 * Compares a cache on a device with one of the scalar oracle: the same prompt and generated tokens, the same decode
 * steps. Kernels on a device cannot be called one by one, so this is what is verified of them.
 */
final class DeviceVerification {

    private static final int PROMPT = 300;
    private static final int GENERATED = 70;

    private DeviceVerification() {}

    static Optional<String> problem(KernelProvider provider, long seed) {
        LayerKernels device = Attune.kernels(provider, KernelPolicy.free().forcing(Backend.OPENCL));
        LayerKernels oracle = Attune.kernels(provider, KernelPolicy.free().forcing(Backend.SCALAR));
        try (KeyValueCache cache = device.newCache(PROMPT, GENERATED);
                KeyValueCache expected = oracle.newCache(PROMPT, GENERATED)) {
            LayerShape shape = provider.shape();
            Random random = new Random(seed);
            int token = shape.keyValueHeads() * shape.headDim();
            float[] keys = RandomCaches.gaussians(random, PROMPT * token, 1);
            float[] values = RandomCaches.gaussians(random, PROMPT * token, 1);
            float[] window = RandomCaches.gaussians(random, shape.queryHeads() * shape.headDim(), 1);
            cache.prefill(keys, values, window);
            expected.prefill(keys, values, window);
            for (int i = 0; i < GENERATED; i++) {
                float[] key = RandomCaches.gaussians(random, token, 1);
                float[] value = RandomCaches.gaussians(random, token, 1);
                cache.append(key, value);
                expected.append(key, value);
            }
            return compare(shape, random, cache, expected);
        }
    }

    private static Optional<String> compare(
            LayerShape shape, Random random, KeyValueCache cache, KeyValueCache expected) {
        int headDim = shape.headDim();
        float[] queries = RandomCaches.gaussians(random, shape.queryHeads() * headDim, 1.5f);
        float[] output = new float[queries.length];
        float[] expectedOutput = new float[queries.length];
        float[] logSums = new float[shape.queryHeads()];
        float[] expectedLogSums = new float[shape.queryHeads()];
        cache.attend(queries, output, logSums);
        expected.attend(queries, expectedOutput, expectedLogSums);
        for (int query = 0; query < shape.queryHeads(); query++) {
            Optional<String> problem = KernelVerification.compare(
                    query,
                    Arrays.copyOfRange(expectedOutput, query * headDim, (query + 1) * headDim),
                    Arrays.copyOfRange(output, query * headDim, (query + 1) * headDim),
                    expectedLogSums[query],
                    logSums[query]);
            if (problem.isPresent()) {
                return problem;
            }
        }
        return Optional.empty();
    }
}
