package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.runtime.spi.AttentionKernels;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Key scores and value sums by themselves: the oracle's against what follows from the rebuilt tiles, and the vector
 * kernels' against the oracle's. Numbers of tiles do and do not divide by how many are read at once.
 */
class PackedSidesTest {

    private static final int[] COUNTS = {0, 1, 65, 320, 353};

    /** Normalised mean square errors that lookups in bfloat16 tables may cause, and those in fixed point alone. */
    private static final double BFLOAT16_ERROR = 2e-5;

    private static final double FLOAT32_ERROR = 2e-6;

    private static final PruningModel UNSIGNED =
            new PruningModel(0.8, Restoration.NONE, ChannelWeight.MEAN, Centering.NONE, NumberFormat.BFLOAT16);

    private static final List<AttentionModel> MODELS = List.of(
            model(1, 64, keys(NumberFormat.BFLOAT16), values(NumberFormat.BFLOAT16)),
            model(2, 112, keys(NumberFormat.FLOAT16), values(NumberFormat.INT8)),
            model(4, 128, keys(NumberFormat.INT4), values(NumberFormat.FLOAT32)),
            model(7, 256, keys(NumberFormat.FLOAT32), values(NumberFormat.FLOAT32)),
            model(8, 64, Specifications.dense(NumberFormat.BFLOAT16), values(NumberFormat.FLOAT16)),
            model(3, 48, keys(NumberFormat.INT8), Specifications.dense(NumberFormat.FLOAT32)),
            model(1, 128, UNSIGNED, UNSIGNED));

    private static PruningModel keys(NumberFormat format) {
        return Specifications.pruned(0.8, Centering.TILE, format);
    }

    private static PruningModel values(NumberFormat format) {
        return Specifications.pruned(0.7, Centering.NONE, format);
    }

    private static AttentionModel model(int group, int headDim, PruningModel keys, PruningModel values) {
        String name = "Sides%dG%d%s%s%s".formatted(headDim, group, keys.format(), values.format(), keys.restoration());
        return Specifications.model(name, group, headDim, keys, values);
    }

    @Test
    void vectorKernelsAgreeWithTheOracleAndTheOracleWithTheRebuiltTiles() {
        CompiledSpecifications compiled = CompiledSpecifications.of(MODELS);
        for (AttentionModel model : MODELS) {
            for (int count : COUNTS) {
                Random random = new Random(11);
                AttentionKernels oracle = compiled.provider(model).create(Backend.SCALAR);
                Tokens tokens = Tokens.random(random, count, model.headDim());
                float[] scales = positive(random, model.headDim());
                PackedHead head = new PackedHead(compiled.provider(model), oracle, tokens, scales, count);
                float[] queries = new float[model.groupSize() * model.headDim()];
                for (int i = 0; i < queries.length; i++) {
                    queries[i] = (float) random.nextGaussian();
                }
                float[] weights = positive(random, model.groupSize() * count);
                check(model, count, head, oracle, compiled, queries, weights);
            }
        }
    }

    private static void check(
            AttentionModel model,
            int count,
            PackedHead head,
            AttentionKernels oracle,
            CompiledSpecifications compiled,
            float[] queries,
            float[] weights) {
        String what = model.specificationName() + ", " + count + " tokens";
        int headDim = model.headDim();
        float[] scores = head.scores(oracle, queries);
        float[] sums = head.sums(oracle, weights);
        double[] expected = expectedScores(head.keys(oracle), queries, count, headDim);
        assertClose(expected, scores, 1e-10, "the oracle's scores, " + what);
        expected = expectedSums(head.values(oracle), weights, count, queries.length, headDim);
        assertClose(expected, sums, 1e-10, "the oracle's sums, " + what);
        for (Backend backend : model.backends()) {
            AttentionKernels kernels = compiled.provider(model).create(backend);
            String which = backend + ", " + what;
            assertClose(
                    doubles(scores, weights.length),
                    head.scores(kernels, queries),
                    limit(model.keys().format()),
                    which + ": scores");
            assertClose(
                    doubles(sums, queries.length),
                    head.sums(kernels, weights),
                    limit(model.values().format()),
                    which + ": sums");
        }
    }

    private static double limit(NumberFormat format) {
        return format == NumberFormat.FLOAT32 ? FLOAT32_ERROR : BFLOAT16_ERROR;
    }

    private static double[] expectedScores(float[] keys, float[] queries, int count, int headDim) {
        double[] scores = new double[queries.length / headDim * count];
        for (int i = 0; i < scores.length; i++) {
            for (int channel = 0; channel < headDim; channel++) {
                double key = keys[i % count * headDim + channel];
                scores[i] += queries[i / count * headDim + channel] * key / Math.sqrt(headDim);
            }
        }
        return scores;
    }

    private static double[] expectedSums(float[] values, float[] weights, int count, int length, int headDim) {
        double[] sums = new double[length];
        for (int i = 0; i < sums.length; i++) {
            for (int token = 0; token < count; token++) {
                double value = values[token * headDim + i % headDim];
                sums[i] += weights[i / headDim * count + token] * value;
            }
        }
        return sums;
    }

    private static void assertClose(double[] expected, float[] actual, double limit, String what) {
        double difference = 0;
        double energy = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            energy += Math.pow(expected[i], 2);
        }
        double error = energy == 0 ? difference : difference / energy;
        assertTrue(error <= limit, what + ": normalised mean square error " + error + ", limit " + limit);
        assertTrue(PackedHead.guardZoneUntouched(actual, expected.length), what + ": written beyond the end");
    }

    private static double[] doubles(float[] numbers, int length) {
        double[] doubles = new double[length];
        for (int i = 0; i < length; i++) {
            doubles[i] = numbers[i];
        }
        return doubles;
    }

    /** Numbers from 1e-4 to 1 of very different sizes: as good for weights of a softmax as for channel scales. */
    private static float[] positive(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) Math.pow(10, -4 * random.nextDouble());
        }
        return numbers;
    }
}
