package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.runtime.opencl.DeviceShard;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.opencl.OpenClTestDevice;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every OpenCL kernel against the scalar oracle: what is packed on the device, exported, equals what the oracle packs
 * to the bit, and so does what is uploaded; and decode steps agree, over head dimensions, ratios, group sizes,
 * settings, formats and token counts around the edges of tiles.
 */
class OpenClGridTest {

    private static final double[] RATIOS = {0, 0.5, 0.8, 0.95};
    private static final int[] GROUPS = {1, 2, 4, 8};
    private static final int[] COUNTS = {1, 31, 32, 33, 63, 64, 65, 127, 128, 1000};

    /** Normalised mean square error of an output: tables and sums are float32. */
    private static final double ERROR = 1e-9;

    private static final double LOG_SUM_ERROR = 1e-4;

    /**
     * What tables of bfloat16 may add, relative to what {@link TableRounding} expects of each head. Over this grid the
     * mean square error of outputs is 0.46 of that in the mean and 4.4 at most; the error of log-sum-exps is 0.83 in
     * the root mean square and 2.4 at most. With float32 tables the same heads are off by 6e-12.
     */
    private static final double MOST_OF_EXPECTED_ERROR = 8;

    private static final double MOST_DEVIATIONS_OF_LOG_SUM = 4;

    private static final int POSITIONS = 8;

    private static OpenClDevice device;

    @BeforeAll
    static void findDevice() {
        device = OpenClTestDevice.require();
    }

    @ParameterizedTest(name = "head dimension {0}")
    @ValueSource(ints = {64, 96, 128, 256})
    void everyRatioAndGroupSizeAgreesWithTheOracle(int headDim) {
        List<AttentionModel> models = new ArrayList<>();
        for (int i = 0; i < RATIOS.length; i++) {
            // Every ratio meets two group sizes, and every group size two ratios, centred and not.
            for (int j = 0; j < 2; j++) {
                int group = GROUPS[(i + j + headDim / 32) % GROUPS.length];
                NumberFormat format = j == 0 ? NumberFormat.BFLOAT16 : NumberFormat.FLOAT32;
                Centering centering = Centering.values()[(i + j) % 2];
                models.add(Specifications.model(
                        "Grid%dR%dG%d".formatted(headDim, i, group),
                        group,
                        headDim,
                        Specifications.pruned(RATIOS[i], centering, format),
                        Specifications.pruned(RATIOS[RATIOS.length - 1 - i], Centering.NONE, format)));
            }
        }
        check(models, COUNTS);
    }

    @ParameterizedTest(name = "head dimension {0}")
    @ValueSource(ints = {16, 48, 112, 272, 512})
    void unusualHeadDimensionsAgreeToo(int headDim) {
        List<AttentionModel> models = new ArrayList<>();
        NumberFormat[] formats = NumberFormat.values();
        for (int group : new int[] {1, 7}) {
            NumberFormat format = formats[(headDim / 16 + group) % formats.length];
            models.add(Specifications.model(
                    "Odd%dG%d".formatted(headDim, group),
                    group,
                    headDim,
                    Specifications.pruned(0.8, Centering.TILE, format),
                    Specifications.pruned(0.8, Centering.NONE, format)));
        }
        check(models, new int[] {65, 200});
    }

    @ParameterizedTest(name = "keys {0}")
    @EnumSource
    void everyCombinationOfFormatsAndSettingsAgreesToo(NumberFormat keyFormat) {
        List<AttentionModel> models = new ArrayList<>();
        for (NumberFormat valueFormat : NumberFormat.values()) {
            // Between them, all combinations of restorations and centering.
            int combination = (keyFormat.ordinal() * 3 + valueFormat.ordinal()) % 8;
            Restoration keyRestoration = Restoration.values()[combination % 2];
            Restoration valueRestoration = Restoration.values()[combination / 2 % 2];
            Centering centering = Centering.values()[combination / 4];
            models.add(Specifications.model(
                    "Settings" + keyFormat + valueFormat,
                    3,
                    64,
                    new PruningModel(0.8, keyRestoration, ChannelWeight.RMS, centering, keyFormat),
                    new PruningModel(0.7, valueRestoration, ChannelWeight.MEAN, Centering.NONE, valueFormat)));
        }
        if (!keyFormat.quantised()) {
            models.add(Specifications.model(
                    "DenseKeys" + keyFormat,
                    3,
                    64,
                    Specifications.dense(keyFormat),
                    Specifications.pruned(0.8, Centering.NONE, NumberFormat.INT8)));
            models.add(Specifications.model(
                    "DenseValues" + keyFormat,
                    3,
                    64,
                    Specifications.pruned(0.8, Centering.TILE, NumberFormat.INT4),
                    Specifications.dense(keyFormat)));
        }
        check(models, new int[] {65, 200});
    }

    private static void check(List<AttentionModel> asked, int[] counts) {
        List<AttentionModel> models = asked.stream().map(OpenClGridTest::forOpenCl).toList();
        CompiledSpecifications compiled = CompiledSpecifications.of(models);
        for (AttentionModel model : models) {
            KernelProvider provider = compiled.provider(model);
            try (LayerProgram program = LayerProgram.build(
                    device, provider.shape(), provider.layout(), provider.openCl().orElseThrow())) {
                for (int count : counts) {
                    long seed = model.specificationName().hashCode() * 1009L + count;
                    String what = model.specificationName() + ", " + count + " tokens, seed " + seed;
                    check(model, provider, program, count, count / 64 * 64, new Random(seed), what);
                }
                int whole = 33 + model.groupSize() * 64;
                String what = model.specificationName() + ", prompt of " + whole + " tokens packed whole";
                check(model, provider, program, whole, whole, new Random(whole), what);
            }
        }
    }

    private static AttentionModel forOpenCl(AttentionModel model) {
        return new AttentionModel(
                model.packageName(), model.specificationName(), model.queryHeads(), model.keyValueHeads(),
                model.headDim(), model.keys(), model.values(), model.window(), model.packGenerated(),
                List.of(Backend.OPENCL));
    }

    private static void check(
            AttentionModel model,
            KernelProvider provider,
            LayerProgram program,
            int count,
            int packed,
            Random random,
            String what) {
        int headDim = model.headDim();
        int group = model.groupSize();
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        Tokens tokens = Tokens.random(random, count, headDim);
        float[] window = gaussians(random, group * POSITIONS * headDim, 1);
        float[] scales = new float[headDim];
        oracle.scoreChannels(0, window, POSITIONS, scales);
        PackedHead head = new PackedHead(provider, oracle, tokens, scales, packed);
        float[] queries = gaussians(random, group * headDim, 1.5f);
        PackedHead.Attended expected = head.attend(oracle, queries);
        int tiles = Math.ceilDiv(packed, 64);
        int dense = Math.max(1, Math.ceilDiv(count - packed, 64));
        try (DeviceShard shard = new DeviceShard(program, 1, tiles, dense);
                DeviceShard uploaded = new DeviceShard(program, 1, tiles, dense)) {
            shard.scoreChannels(window, 0, POSITIONS);
            assertArrayEquals(scales, shard.readScales(), () -> what + ": channel scales");
            uploaded.writeScales(scales, 0);
            if (tiles > 0) {
                shard.pack(tiles, (h, tile, keys, values, offset) -> {
                    MemorySegment.copy(tokens.keysOfTile(tile), 0, keys, ValueLayout.JAVA_FLOAT, offset, 64 * headDim);
                    MemorySegment.copy(
                            tokens.valuesOfTile(tile), 0, values, ValueLayout.JAVA_FLOAT, offset, 64 * headDim);
                });
                long tileBytes = provider.layout().tileBytes();
                MemorySegment packedByOracle = head.bytes().asSlice(0, tiles * tileBytes);
                assertHolds(packedByOracle, shard, tiles, what + ": first byte packed differently");
                // As a prompt packed in host memory is uploaded, piece by piece.
                int some = Math.ceilDiv(tiles, 2);
                uploaded.importTiles(0, some, packedByOracle.asSlice(0, some * tileBytes));
                if (some < tiles) {
                    uploaded.importTiles(some, tiles - some, packedByOracle.asSlice(some * tileBytes));
                }
                assertHolds(packedByOracle, uploaded, tiles, what + ": first byte changed by an upload");
            }
            for (int token = packed; token < count; token++) {
                for (DeviceShard either : List.of(shard, uploaded)) {
                    either.storeDense(
                            tokens.keysOfTile(token / 64), tokens.valuesOfTile(token / 64), token % 64 * headDim,
                            (token - packed) / 64, (token - packed) % 64);
                }
            }
            float[] output = new float[group * headDim];
            float[] logSumExp = new float[group];
            uploaded.attend(queries, packed, count - packed, output, logSumExp);
            float[] outputOfUploaded = output.clone();
            shard.attend(queries, packed, count - packed, output, logSumExp);
            assertArrayEquals(output, outputOfUploaded, () -> what + ": attends to uploaded tiles differently");
            OpenClPlan plan = OpenClPlan.of(model);
            boolean rounded = program.isFused() || plan.pairs();
            // The program for NVIDIA devices looks queries up in the dense tail, too; none does if all keys are dense.
            int lookedUp = plan.device().keys().isEmpty() ? 0 : program.isFused() ? count : packed;
            float[] keys = rounded ? head.keys(oracle) : null;
            float[] values = rounded ? head.values(oracle) : null;
            for (int g = 0; g < group; g++) {
                double difference = 0;
                double energy = 0;
                for (int i = g * headDim; i < (g + 1) * headDim; i++) {
                    difference += Math.pow(output[i] - expected.output()[i], 2);
                    energy += Math.pow(expected.output()[i], 2);
                }
                double error = difference / energy;
                double mostError = ERROR;
                double mostLogSumError = LOG_SUM_ERROR;
                if (rounded) {
                    float[] query = Arrays.copyOfRange(queries, g * headDim, (g + 1) * headDim);
                    TableRounding rounding = TableRounding.of(query, keys, values, lookedUp);
                    mostError += MOST_OF_EXPECTED_ERROR * rounding.output();
                    mostLogSumError += MOST_DEVIATIONS_OF_LOG_SUM * rounding.logSumExp();
                }
                assertTrue(
                        error <= mostError,
                        what + ": normalised mean square error " + error + " of head " + g + " > " + mostError);
                assertEquals(
                        expected.logSumExp()[g], logSumExp[g], mostLogSumError, what + ": log-sum-exp of head " + g);
            }
        }
    }

    private static void assertHolds(MemorySegment expected, DeviceShard shard, int tiles, String message) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment exported = arena.allocate(expected.byteSize(), 64);
            shard.exportTiles(0, 0, tiles, exported);
            assertEquals(-1, expected.mismatch(exported), message);
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
