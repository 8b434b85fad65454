package dev.attune.runtime.kernels;

import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelPolicy;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.util.List;
import java.util.Random;

/**
 * Run in a JVM of its own, whose flags decide what is compiled to instructions: prints the ladder of a specification
 * with rows of heads, and how far a decode step over packed and dense tokens is from plain Java's.
 */
final class RowsProbe {

    private static final int HEADS = 2;
    private static final int GROUP = 4;
    private static final int HEAD_DIM = 64;
    private static final int TOKENS = 150;

    private RowsProbe() {}

    public static void main(String[] arguments) {
        AttentionModel model = Specifications.layer(
                "Rows", HEADS, GROUP, HEAD_DIM, List.of(Backend.VECTOR_256, Backend.VECTOR_128));
        KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
        LayerKernels kernels = Attune.kernels(provider, KernelPolicy.free());
        kernels.ladder().forEach(System.out::println);
        System.out.println("error " + error(kernels, Attune.kernels(provider, Backend.SCALAR)));
    }

    /** Returns the normalised mean square error of an output. */
    private static double error(LayerKernels kernels, LayerKernels oracle) {
        Random random = new Random(1);
        float[] keys = numbers(random, HEADS * TOKENS * HEAD_DIM);
        float[] values = numbers(random, HEADS * TOKENS * HEAD_DIM);
        float[] queries = numbers(random, HEADS * GROUP * HEAD_DIM);
        float[] actual = new float[queries.length];
        float[] expected = new float[queries.length];
        try (KeyValueCache cache = kernels.newCache(TOKENS);
                KeyValueCache reference = oracle.newCache(TOKENS)) {
            cache.prefill(keys, values, queries);
            reference.prefill(keys, values, queries);
            cache.attend(queries, actual);
            reference.attend(queries, expected);
        }
        double error = 0;
        double square = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(actual[i] - expected[i], 2);
            square += Math.pow(expected[i], 2);
        }
        return error / square;
    }

    private static float[] numbers(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
