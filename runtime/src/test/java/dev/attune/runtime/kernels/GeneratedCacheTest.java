package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Generated kernels in a real cache: several key-value heads, a prompt, generated tokens, against textbook attention.
 */
class GeneratedCacheTest {

    private static final int HEADS = 3;
    private static final int GROUP = 2;
    private static final int HEAD_DIM = 64;
    private static final int PROMPT = 100;
    private static final int GENERATED = 200;

    @Test
    void aDecodeStepAttendsToWhatTheCacheStandsFor() {
        for (boolean packGenerated : new boolean[] {true, false}) {
            AttentionModel packing =
                    Specifications.layer("Generated", HEADS, GROUP, HEAD_DIM, Specifications.VECTORS);
            AttentionModel model = packGenerated ? packing : Specifications.keepingGeneratedDense(packing);
            KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
            for (Backend backend : provider.backends()) {
                LayerKernels kernels = forced(provider, backend);
                if (kernels.backend() != backend) {
                    continue;
                }
                try (KeyValueCache cache = kernels.newCache(PROMPT, GENERATED)) {
                    decode(cache, backend + (packGenerated ? ", packing" : ", keeping dense"));
                    int packed = packGenerated ? (PROMPT + GENERATED) / 64 * 64 : PROMPT;
                    assertEquals(packed, cache.statistics().packedTokens());
                }
            }
        }
    }

    /** A prompt of two slices per head: each is a call of its own, and their merge is what the whole stands for. */
    @Test
    void slicesMergeToTheWholeOnAnyNumberOfThreads() {
        int tokens = 6200;
        AttentionModel model = Specifications.layer("Sliced", HEADS, GROUP, HEAD_DIM, Specifications.VECTORS);
        KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
        Random random = new Random(11);
        float[] keys = gaussians(random, HEADS * tokens * HEAD_DIM);
        float[] values = gaussians(random, HEADS * tokens * HEAD_DIM);
        float[] window = gaussians(random, HEADS * GROUP * 32 * HEAD_DIM);
        float[] queries = gaussians(random, HEADS * GROUP * HEAD_DIM);
        float[] output = new float[queries.length];
        float[] again = new float[queries.length];
        float[] logSumExp = new float[HEADS * GROUP];
        for (Backend backend : provider.backends()) {
            LayerKernels kernels = forced(provider, backend);
            if (kernels.backend() != backend) {
                continue;
            }
            try (KeyValueCache alone = kernels.withThreads(1).newCache(tokens);
                    KeyValueCache shared = kernels.withThreads(3).newCache(tokens)) {
                alone.prefill(keys, values, window);
                shared.prefill(keys, values, window);
                alone.attend(queries, output, logSumExp);
                compare(alone, queries, output, logSumExp, backend + ", two slices");
                for (int repeat = 0; repeat < 3; repeat++) {
                    shared.attend(queries, again, logSumExp);
                    assertArrayEquals(output, again, backend + ", three threads");
                }
            }
        }
    }

    /**
     * Forces a backend; one that this machine cannot run leaves the usual choice, and is checked without a cache only.
     */
    private static LayerKernels forced(KernelProvider provider, Backend backend) {
        System.setProperty(
                "attune.backend", backend.name().toLowerCase(Locale.ROOT).replace("_", ""));
        try {
            return Attune.kernels(provider);
        } catch (IllegalStateException unavailable) {
            System.clearProperty("attune.backend");
            return Attune.kernels(provider);
        } finally {
            System.clearProperty("attune.backend");
        }
    }

    private static void decode(KeyValueCache cache, String what) {
        Random random = new Random(7);
        int token = HEADS * HEAD_DIM;
        cache.prefill(
                gaussians(random, PROMPT * token),
                gaussians(random, PROMPT * token),
                gaussians(random, HEADS * GROUP * 32 * HEAD_DIM));
        float[] queries = gaussians(random, HEADS * GROUP * HEAD_DIM);
        float[] output = new float[queries.length];
        float[] logSumExp = new float[HEADS * GROUP];
        for (int step = 0; step < GENERATED; step++) {
            cache.append(gaussians(random, token), gaussians(random, token));
            if (step % 37 == 0 || step == GENERATED - 1) {
                cache.attend(queries, output, logSumExp);
                compare(cache, queries, output, logSumExp, what + ", step " + step);
            }
        }
    }

    private static void compare(KeyValueCache cache, float[] queries, float[] output, float[] logSumExp, String what) {
        float[] keys = new float[cache.tokens() * HEAD_DIM];
        float[] values = new float[cache.tokens() * HEAD_DIM];
        for (int query = 0; query < HEADS * GROUP; query++) {
            cache.reconstruct(query / GROUP, keys, values);
            double[] expected = new double[HEAD_DIM];
            double sum = ReferenceAttention.attend(queries, query * HEAD_DIM, keys, values, cache.tokens(), expected);
            assertEquals(sum, logSumExp[query], 0.03, what + ", query head " + query);
            double difference = 0;
            double energy = 0;
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                difference += Math.pow(expected[channel] - output[query * HEAD_DIM + channel], 2);
                energy += Math.pow(expected[channel], 2);
            }
            assertTrue(difference <= 2e-4 * energy, what + ", query head " + query + ": " + difference / energy);
        }
    }

    /** A channel's scale is the root of its weight, for either weight, on every backend. */
    @Test
    void channelScalesFollowTheirDefinition() {
        int positions = 5;
        List<AttentionModel> models = new ArrayList<>();
        for (ChannelWeight weight : ChannelWeight.values()) {
            PruningModel sign = Specifications.pruned(0.8, Centering.NONE, NumberFormat.FLOAT32);
            models.add(Specifications.model(
                    "Weight" + weight,
                    HEADS,
                    GROUP,
                    HEAD_DIM,
                    new PruningModel(0.8, sign.restoration(), weight, sign.centering(), sign.format()),
                    sign,
                    Specifications.VECTORS));
        }
        CompiledSpecifications compiled = CompiledSpecifications.of(models);
        float[] window = gaussians(new Random(3), HEADS * GROUP * positions * HEAD_DIM);
        for (int position = 0; position < HEADS * GROUP * positions; position++) {
            window[position * HEAD_DIM + 9] = 0;
        }
        for (AttentionModel model : models) {
            KernelProvider provider = compiled.provider(model);
            for (Backend backend : provider.backends()) {
                float[] scales = new float[HEADS * HEAD_DIM];
                for (int head = 0; head < HEADS; head++) {
                    provider.create(backend).scoreChannels(head, window, positions, scales);
                    double[] expected = scales(model.keys().channelWeight(), window, head, positions);
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        assertEquals(
                                expected[channel],
                                scales[head * HEAD_DIM + channel],
                                1e-5 * expected[channel],
                                model.specificationName() + " on " + backend + ", channel " + channel);
                    }
                }
            }
        }
    }

    private static double[] scales(ChannelWeight weight, float[] window, int head, int positions) {
        double[] weights = new double[HEAD_DIM];
        for (int channel = 0; channel < HEAD_DIM; channel++) {
            double squares = 0;
            for (int position = 0; position < positions; position++) {
                double sum = 0;
                double sumOfSquares = 0;
                for (int query = head * GROUP; query < (head + 1) * GROUP; query++) {
                    double entry = window[(query * positions + position) * HEAD_DIM + channel];
                    sum += entry;
                    sumOfSquares += entry * entry;
                }
                squares += weight == ChannelWeight.MEAN ? Math.pow(sum / GROUP, 2) : sumOfSquares / (GROUP * positions);
            }
            weights[channel] = Math.sqrt(squares);
        }
        double least = Arrays.stream(weights).max().orElseThrow() * 1e-6;
        return Arrays.stream(weights)
                .map(each -> Math.sqrt(Math.max(each, least)))
                .toArray();
    }

    private static float[] gaussians(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
