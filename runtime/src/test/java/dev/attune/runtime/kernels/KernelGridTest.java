package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.runtime.kernels.PackedHead.Attended;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every vector kernel against the scalar oracle, and the oracle against textbook attention over the rebuilt cache, over
 * head dimensions, ratios, group sizes, centering, formats and token counts around the edges of tiles.
 */
@Execution(ExecutionMode.CONCURRENT)
class KernelGridTest {

    private static final double[] RATIOS = {0, 0.5, 0.8, 0.95};

    /** Around the edges of blocks and tiles; the most are more tiles than are read or scored at once, and a rest. */
    private static final int[] EDGES = {0, 1, 31, 33, 64, 65, 586};

    /** Less than a tile, and more: for settings that have no part in how tokens are counted. */
    private static final int[] COUNTS = {33, 65};

    /** A prompt packed whole: more tiles than are read at once, of which the last is not full. */
    private static final int WHOLE = 289;

    /**
     * Normalised mean square error of an output that bfloat16 lookups may cause: queries and weights are rounded to 8
     * bits, one part in 512, and the softmax turns an error of a score into a relative error of a weight. Only float32
     * residuals are looked up otherwise. How residuals are stored has no part in it: oracle and vectors read the same.
     */
    private static final double BFLOAT16_ERROR = 4e-4;

    /** The same for float32 lookups, where only the fixed-point sign sums round. */
    private static final double FLOAT32_ERROR = 1e-5;

    /** The same with rows of signed sums, of eight numbers each instead of four: their units are coarser. */
    private static final double FLOAT32_ROWS_ERROR = 4e-5;

    private static final int POSITIONS = 8;

    @ParameterizedTest(name = "head dimension {0}")
    @ValueSource(ints = {64, 96, 128, 256})
    void vectorKernelsAgreeWithTheOracleAndTheOracleWithTextbookAttention(int headDim) {
        check(grid(headDim), headDim == 64 ? EDGES : COUNTS);
    }

    @ParameterizedTest(name = "head dimension {0}")
    @ValueSource(ints = {16, 48, 112, 272, 512})
    void unusualHeadDimensionsAgreeToo(int headDim) {
        List<AttentionModel> models = new ArrayList<>();
        for (NumberFormat format : NumberFormat.values()) {
            int group = models.size() % 2 == 0 ? 7 : 1;
            models.add(Specifications.model(
                    "Odd%dG%d%s".formatted(headDim, group, format),
                    group,
                    headDim,
                    Specifications.pruned(0.8, Centering.TILE, format),
                    Specifications.pruned(0.8, Centering.NONE, format)));
        }
        check(models, COUNTS);
    }

    @Test
    void everyCombinationOfSettingsOfASideAgreesToo() {
        List<PruningModel> values = new ArrayList<>();
        for (NumberFormat format : NumberFormat.values()) {
            for (Restoration restoration : Restoration.values()) {
                values.add(new PruningModel(0.7, restoration, ChannelWeight.MEAN, Centering.NONE, format));
            }
        }
        List<AttentionModel> models = new ArrayList<>();
        for (NumberFormat format : NumberFormat.values()) {
            for (Restoration restoration : Restoration.values()) {
                for (Centering centering : Centering.values()) {
                    PruningModel keys = new PruningModel(0.8, restoration, ChannelWeight.RMS, centering, format);
                    // The sides are independent: the values of all settings take turns.
                    PruningModel valuesInTurn = values.get(models.size() % values.size());
                    models.add(Specifications.model("Settings" + models.size(), 3, 64, keys, valuesInTurn));
                }
            }
        }
        check(models, COUNTS);
    }

    /** What the sides share does not depend on the width of vectors: these take turns. */
    @Test
    void everyPairOfFormatsAgreesToo() {
        List<AttentionModel> models = new ArrayList<>();
        for (NumberFormat keyFormat : NumberFormat.values()) {
            for (NumberFormat valueFormat : NumberFormat.values()) {
                PruningModel keys = Specifications.pruned(0.8, Centering.TILE, keyFormat);
                PruningModel values = Specifications.pruned(0.8, Centering.NONE, valueFormat);
                models.add(pair(keys, values));
                if (!keyFormat.quantised()) {
                    models.add(pair(Specifications.dense(keyFormat), values));
                }
                if (!valueFormat.quantised()) {
                    models.add(pair(keys, Specifications.dense(valueFormat)));
                }
            }
        }
        check(models, COUNTS);
    }

    /** What a search may come to: all numbers of heads and streams, and of tiles that are read ahead. */
    @Test
    void everyVariantThatCanBePlannedAgreesToo() {
        NumberFormat format = NumberFormat.BFLOAT16;
        List<AttentionModel> models = List.of(
                Specifications.model(
                        "AllPacked",
                        4,
                        64,
                        Specifications.pruned(0.8, Centering.TILE, format),
                        Specifications.pruned(0.8, Centering.NONE, NumberFormat.INT8)),
                Specifications.model(
                        "AllKeysPacked",
                        3,
                        128,
                        Specifications.pruned(0.5, Centering.NONE, format),
                        Specifications.dense(format)),
                Specifications.model("AllDense", 2, 32, Specifications.dense(format), Specifications.dense(format)));
        CompiledSpecifications all = CompiledSpecifications.of(models, KernelPlan.Variants.ALL);
        for (AttentionModel model : models) {
            assertTrue(all.provider(model).variants().size() > 16, () -> model + " leaves nothing to search");
        }
        check(models, all, EDGES);
    }

    private static AttentionModel pair(PruningModel keys, PruningModel values) {
        String name = "Pair%sR%d%sR%d".formatted(
                keys.format(), Math.round(keys.ratio() * 100), values.format(), Math.round(values.ratio() * 100));
        List<Backend> widths = Specifications.VECTORS;
        int width = (keys.format().ordinal() + values.format().ordinal()) % widths.size();
        return Specifications.model(name, 3, 64, keys, values, List.of(widths.get(width)));
    }

    private static List<AttentionModel> grid(int headDim) {
        List<AttentionModel> models = new ArrayList<>();
        int[] groups = headDim == 128 ? new int[] {1, 2, 4, 8} : new int[] {1, 2, 4};
        for (int i = 0; i < RATIOS.length; i++) {
            for (int j = 0; j < groups.length; j++) {
                double ratio = RATIOS[i];
                int group = groups[j];
                // Such that each centering meets every group, and every ratio.
                Centering centering = Centering.values()[(i + j) % 2];
                // Group 2 runs in float32, so that every ratio meets both formats.
                NumberFormat format = group == 2 ? NumberFormat.FLOAT32 : NumberFormat.BFLOAT16;
                models.add(Specifications.model(
                        "D%dR%dG%d%s".formatted(headDim, (int) (ratio * 100), group, centering),
                        group,
                        headDim,
                        Specifications.pruned(ratio, centering, format),
                        Specifications.pruned(ratio, Centering.NONE, format)));
            }
        }
        return models;
    }

    private static void check(List<AttentionModel> models, int[] counts) {
        check(models, CompiledSpecifications.of(models), counts);
    }

    private static void check(List<AttentionModel> models, CompiledSpecifications compiled, int[] counts) {
        for (AttentionModel model : models) {
            long seed = 42 + model.specificationName().hashCode();
            for (int count : counts) {
                String what = model.specificationName() + ", " + count + " tokens, seed " + seed;
                check(model, compiled.provider(model), count, count / 64 * 64, new Random(seed), what);
            }
            String what = model.specificationName() + ", prompt of " + WHOLE + " tokens packed whole, seed " + seed;
            check(model, compiled.provider(model), WHOLE, WHOLE, new Random(seed), what);
        }
    }

    private static void check(
            AttentionModel model, KernelProvider provider, int count, int packed, Random random, String what) {
        int headDim = model.headDim();
        int group = model.groupSize();
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        Tokens tokens = Tokens.random(random, count, headDim);
        float[] window = gaussians(random, group * POSITIONS * headDim, 1);
        float[] scales = new float[headDim];
        oracle.scoreChannels(0, window, POSITIONS, scales);
        PackedHead head = new PackedHead(provider, oracle, tokens, scales, packed);
        float[] queries = gaussians(random, group * headDim, 1.5f);
        Attended expected = head.attend(oracle, queries);
        assertTrue(expected.guardsUntouched(), () -> what + ": the oracle wrote beyond its outputs");
        checkOracle(head, oracle, queries, expected, count, what);

        for (KernelVariant variant : provider.variants()) {
            if (!variant.backend().usesVectors()) {
                continue;
            }
            AttentionKernels kernels = provider.create(variant);
            String which = variant + ", " + what;
            assertEquals(variant.backend(), kernels.backend());
            float[] ownScales = new float[headDim];
            kernels.scoreChannels(0, window, POSITIONS, ownScales);
            assertArrayEquals(scales, ownScales, () -> which + ": channel scales");
            PackedHead ownHead = new PackedHead(provider, kernels, tokens, scales, packed);
            assertEquals(-1, head.bytes().mismatch(ownHead.bytes()), () -> which + ": first byte packed differently");
            Attended actual = ownHead.attend(kernels, queries);
            assertTrue(actual.guardsUntouched(), () -> which + " wrote beyond its outputs");
            boolean float32 = model.keys().format() == NumberFormat.FLOAT32
                    && model.values().format() == NumberFormat.FLOAT32;
            double exact = variant.strategy() == Strategy.GATHER ? FLOAT32_ROWS_ERROR : FLOAT32_ERROR;
            double limit = float32 ? exact : BFLOAT16_ERROR;
            checkAgainstOracle(expected, actual, limit, which);
        }
    }

    private static void checkOracle(
            PackedHead head, AttentionKernels oracle, float[] queries, Attended attended, int count, String what) {
        float[] keys = head.keys(oracle);
        float[] values = head.values(oracle);
        for (int g = 0; g < attended.heads(); g++) {
            double[] output = new double[attended.headDim()];
            double logSumExp = ReferenceAttention.attend(queries, g * attended.headDim(), keys, values, count, output);
            assertEquals(logSumExp, attended.logSumExp()[g], 1e-4, what + ": log-sum-exp of the oracle");
            for (int channel = 0; channel < output.length; channel++) {
                float actual = attended.output()[g * output.length + channel];
                assertEquals(
                        output[channel],
                        actual,
                        1e-4 * (1 + Math.abs(output[channel])),
                        what + ": the oracle's output");
            }
        }
    }

    private static void checkAgainstOracle(Attended expected, Attended actual, double limit, String which) {
        for (int g = 0; g < expected.heads(); g++) {
            double difference = 0;
            double energy = 0;
            for (int i = g * expected.headDim(); i < (g + 1) * expected.headDim(); i++) {
                difference += Math.pow(actual.output()[i] - expected.output()[i], 2);
                energy += Math.pow(expected.output()[i], 2);
            }
            double error = energy == 0 ? difference : difference / energy;
            assertTrue(error <= limit, which + ": normalised mean square error " + error + " of query head " + g);
            assertEquals(expected.logSumExp()[g], actual.logSumExp()[g], Math.sqrt(limit) * 4, which + ": log-sum-exp");
        }
    }

    private static float[] gaussians(Random random, int count, float scale) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = scale * (float) random.nextGaussian();
        }
        return numbers;
    }
}
