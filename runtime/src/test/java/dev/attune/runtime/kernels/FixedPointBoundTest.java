package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.runtime.kernels.PackedHead.Attended;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The error bounds that generated kernels state for sums under signs, which they compute in 16-bit fixed point. Of
 * {@code d} channels of total magnitude {@code R}: at most {@code 5/32 d} units of {@code R / (32767 - d / 4)}. Of the
 * 64 weights of a tile, which sum to {@code R}: at most half a unit of {@code R / (32767 - 64)} each. Rows of heads
 * round every channel: half a unit of {@code R / (32767 - d)} each. All other arithmetic here is float32, so what
 * exceeds the bounds would be the sign sums.
 */
class FixedPointBoundTest {

    private static final int HEAD_DIM = 128;
    private static final int TOKENS = 640;
    private static final int ROW_HEADS = 4;
    private static final double FLOAT_SLACK = 2e-5;
    private static final PruningModel PRUNED = Specifications.pruned(0.8, Centering.NONE, NumberFormat.FLOAT32);
    private static final PruningModel DENSE = Specifications.dense(NumberFormat.FLOAT32);
    private static final float[] UNIT_SCALES = new float[HEAD_DIM];

    static {
        Arrays.fill(UNIT_SCALES, 1);
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = "VECTOR_.*", mode = EnumSource.Mode.MATCH_ALL)
    void scoresStayWithinTheStatedBound(Backend backend) {
        KernelProvider provider = provider("Keys", PRUNED, DENSE);
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            PackedHead head = new PackedHead(provider, oracle, Tokens.random(random, TOKENS, HEAD_DIM), UNIT_SCALES);
            float[] query = query(random);
            Attended expected = head.attend(oracle, query);
            Attended actual = head.attend(provider.create(backend), query);
            // The log-sum-exp moves by no more than the score that moves most.
            double bound = unit(range(query), HEAD_DIM) * 5 / 32 * HEAD_DIM * largestAmplitude(head.keys(oracle));
            double error = Math.abs(expected.logSumExp()[0] - actual.logSumExp()[0]);
            assertTrue(error <= bound + FLOAT_SLACK, "error " + error + ", bound " + bound + ", seed " + seed);
        }
    }

    /**
     * The score of a single token, whose error nothing averages out. Errors of 32 tables, each rounded once, spread by
     * 1.7 units; were each of the 128 numbers rounded to whole units, it would be 3.3.
     */
    @ParameterizedTest
    @EnumSource(value = Backend.class, names = "VECTOR_.*", mode = EnumSource.Mode.MATCH_ALL)
    void theErrorOfOneScoreIsThatOfTablesRoundedOnce(Backend backend) {
        KernelProvider provider = provider("Score", PRUNED, DENSE);
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        AttentionKernels kernels = provider.create(backend);
        double squares = 0;
        int cases = 400;
        for (long seed = 0; seed < cases; seed++) {
            Random random = new Random(seed);
            PackedHead head = new PackedHead(provider, oracle, Tokens.random(random, 1, HEAD_DIM), UNIT_SCALES, 1);
            float[] query = query(random);
            double error = head.attend(oracle, query).logSumExp()[0]
                    - head.attend(kernels, query).logSumExp()[0];
            double units = error / (unit(range(query), HEAD_DIM) * largestAmplitude(head.keys(oracle)));
            assertTrue(Math.abs(units) <= 5.0 / 32 * HEAD_DIM, "error of " + units + " units, seed " + seed);
            squares += units * units;
        }
        double spread = Math.sqrt(squares / cases);
        assertTrue(spread < 2.3, "errors spread by " + spread + " units");
        assertTrue(spread > 1, "errors spread by only " + spread + " units: are the sums still in fixed point?");
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = "VECTOR_.*", mode = EnumSource.Mode.MATCH_ALL)
    void valueSumsStayWithinTheStatedBound(Backend backend) {
        KernelProvider provider = provider("Values", DENSE, PRUNED);
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            PackedHead head = new PackedHead(provider, oracle, Tokens.random(random, TOKENS, HEAD_DIM), UNIT_SCALES);
            float[] query = query(random);
            Attended expected = head.attend(oracle, query);
            Attended actual = head.attend(provider.create(backend), query);
            double[] amplitudes = largestAmplitudes(head.values(oracle));
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                // All weights together sum to 1, so the tiles' ranges do too.
                double bound = 1.0 / (Short.MAX_VALUE - 64) / 2 * 64 * amplitudes[channel];
                double error = Math.abs(expected.output()[channel] - actual.output()[channel]);
                assertTrue(error <= bound + FLOAT_SLACK, "error " + error + ", bound " + bound + ", seed " + seed);
            }
        }
    }

    @Test
    void scoresOfRowsOfHeadsStayWithinTheirBound() {
        KernelProvider provider = provider("RowsOfKeys", ROW_HEADS, PRUNED, DENSE);
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        for (KernelVariant variant : rows(provider)) {
            double largest = 0;
            for (long seed = 0; seed < 40; seed++) {
                Random random = new Random(seed);
                PackedHead head = new PackedHead(provider, oracle, Tokens.random(random, 1, HEAD_DIM), UNIT_SCALES, 1);
                float[] queries = queries(random, ROW_HEADS);
                Attended expected = head.attend(oracle, queries);
                Attended actual = head.attend(provider.create(variant), queries);
                double amplitude = largestAmplitude(head.keys(oracle));
                for (int g = 0; g < ROW_HEADS; g++) {
                    float[] query = Arrays.copyOfRange(queries, g * HEAD_DIM, (g + 1) * HEAD_DIM);
                    double unit = range(query) / (Short.MAX_VALUE - HEAD_DIM) * amplitude;
                    double units = Math.abs(expected.logSumExp()[g] - actual.logSumExp()[g]) / unit;
                    assertTrue(
                            units <= HEAD_DIM / 2.0 + FLOAT_SLACK / unit,
                            variant + ": error of " + units + " units, head " + g + ", seed " + seed);
                    largest = Math.max(largest, units);
                }
            }
            assertTrue(largest > 1, variant + ": errors of " + largest + " units: are the sums still in fixed point?");
        }
    }

    @Test
    void valueSumsOfRowsOfHeadsStayWithinTheirBound() {
        KernelProvider provider = provider("RowsOfValues", ROW_HEADS, DENSE, PRUNED);
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        for (KernelVariant variant : rows(provider)) {
            for (long seed = 0; seed < 20; seed++) {
                Random random = new Random(seed);
                PackedHead head =
                        new PackedHead(provider, oracle, Tokens.random(random, TOKENS, HEAD_DIM), UNIT_SCALES);
                float[] queries = queries(random, ROW_HEADS);
                Attended expected = head.attend(oracle, queries);
                Attended actual = head.attend(provider.create(variant), queries);
                double[] amplitudes = largestAmplitudes(head.values(oracle));
                for (int i = 0; i < ROW_HEADS * HEAD_DIM; i++) {
                    double bound = 1.0 / (Short.MAX_VALUE - 64) / 2 * 64 * amplitudes[i % HEAD_DIM];
                    double error = Math.abs(expected.output()[i] - actual.output()[i]);
                    assertTrue(
                            error <= bound + FLOAT_SLACK,
                            variant + ": error " + error + ", bound " + bound + ", seed " + seed);
                }
            }
        }
    }

    private static List<KernelVariant> rows(KernelProvider provider) {
        List<KernelVariant> rows = provider.variants().stream()
                .filter(variant -> variant.backend().usesVectors() && variant.strategy() == Strategy.GATHER)
                .toList();
        assertFalse(rows.isEmpty());
        return rows;
    }

    private static KernelProvider provider(String name, PruningModel keys, PruningModel values) {
        return provider(name, 1, keys, values);
    }

    private static KernelProvider provider(String name, int group, PruningModel keys, PruningModel values) {
        AttentionModel model = Specifications.model(name, group, HEAD_DIM, keys, values);
        return CompiledSpecifications.of(List.of(model)).provider(model);
    }

    /** Sum of the magnitudes of a scaled query. */
    private static double range(float[] query) {
        double range = 0;
        for (float entry : query) {
            range += Math.abs(entry) / Math.sqrt(HEAD_DIM);
        }
        return range;
    }

    private static double unit(double range, int count) {
        return range / (Short.MAX_VALUE - count / 4);
    }

    private static float[] query(Random random) {
        return queries(random, 1);
    }

    private static float[] queries(Random random, int heads) {
        float[] queries = new float[heads * HEAD_DIM];
        for (int i = 0; i < queries.length; i++) {
            queries[i] = 2 * (float) random.nextGaussian();
        }
        return queries;
    }

    /** Most channels of a token are pruned and restored with one magnitude: the median is the amplitude. */
    private static double largestAmplitude(float[] keys) {
        double largest = 0;
        for (int row = 0; row < keys.length; row += HEAD_DIM) {
            double[] magnitudes = new double[HEAD_DIM];
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                magnitudes[channel] = Math.abs(keys[row + channel]);
            }
            Arrays.sort(magnitudes);
            largest = Math.max(largest, magnitudes[HEAD_DIM / 2]);
        }
        return largest;
    }

    private static double[] largestAmplitudes(float[] values) {
        double[] largest = new double[HEAD_DIM];
        for (int channel = 0; channel < HEAD_DIM; channel++) {
            for (int tile = 0; tile < values.length / HEAD_DIM; tile += 64) {
                double[] magnitudes = new double[64];
                for (int token = 0; token < 64; token++) {
                    magnitudes[token] = Math.abs(values[(tile + token) * HEAD_DIM + channel]);
                }
                Arrays.sort(magnitudes);
                largest[channel] = Math.max(largest[channel], magnitudes[32]);
            }
        }
        return largest;
    }
}
