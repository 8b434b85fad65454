package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How far a kept entry may be from what is read back, for every format. Nothing stands in for pruned entries here, so
 * that what is stored of a kept entry is the entry itself, and a pruned one reads back as zero.
 */
class KeptEntryRoundingTest {

    private static final int HEAD_DIM = 64;
    private static final int TILE = 64;
    private static final float[] UNIT_SCALES = new float[HEAD_DIM];

    static {
        Arrays.fill(UNIT_SCALES, 1);
    }

    @ParameterizedTest
    @EnumSource
    void keptEntriesAreRoundedToTheNearest(NumberFormat format) {
        for (long seed = 0; seed < 5; seed++) {
            Tokens tokens = Tokens.random(new Random(seed), TILE, HEAD_DIM);
            float[] keys = keysReadBack(format, tokens.keys());
            for (int token = 0; token < TILE; token++) {
                check(format, row(tokens.keys(), token), row(keys, token), 13, "token " + token + ", seed " + seed);
            }
            float[] values = valuesReadBack(format, tokens.values());
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                String what = "value channel " + channel + ", seed " + seed;
                check(format, column(tokens.values(), channel), column(values, channel), 20, what);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void zerosStayZeros(NumberFormat format) {
        float[] zeros = new float[TILE * HEAD_DIM];
        assertTrue(Arrays.equals(zeros, keysReadBack(format, zeros)));
        assertTrue(Arrays.equals(zeros, valuesReadBack(format, zeros)));
    }

    /** Entries too small for a scale are lost; a scale that is rounded badly must not let integers wrap around. */
    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void theSmallestFloatsDoNotWrapAround(NumberFormat format) {
        for (float magnitude = Float.MIN_VALUE; magnitude < 1e-36f; magnitude *= 3) {
            float[] rows = new float[TILE * HEAD_DIM];
            Arrays.fill(rows, magnitude);
            for (float entry : keysReadBack(format, rows)) {
                assertTrue(entry >= 0 && entry <= 1.01 * magnitude, magnitude + " reads back as " + entry);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void largeNumbersAreRoundedOrSaturateButDoNotOverflow(NumberFormat format) {
        float[] rows = new float[TILE * HEAD_DIM];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = i % 2 == 0 ? 1e6f : -1e6f;
        }
        float expected = format == NumberFormat.FLOAT16 ? 65504 : 1e6f;
        for (float[] readBack : List.of(keysReadBack(format, rows), valuesReadBack(format, rows))) {
            for (int i = 0; i < rows.length; i++) {
                if (readBack[i] != 0) {
                    assertEquals(expected, Math.abs(readBack[i]), 0.005 * expected);
                    assertEquals(Math.signum(rows[i]), Math.signum(readBack[i]));
                }
            }
        }
    }

    private static void check(NumberFormat format, double[] entries, double[] readBack, int kept, String what) {
        double[] magnitudes = DoubleStream.of(entries).map(Math::abs).sorted().toArray();
        double largest = magnitudes[magnitudes.length - 1];
        double smallestKept = magnitudes[magnitudes.length - kept];
        for (int i = 0; i < entries.length; i++) {
            double magnitude = Math.abs(entries[i]);
            if (magnitude > smallestKept) {
                double error = Math.abs(entries[i] - readBack[i]);
                double limit = limit(format, magnitude, largest);
                assertTrue(error <= limit, "%s, %s: %g reads back as %g, limit %g"
                        .formatted(format, what, entries[i], readBack[i], limit));
            } else if (magnitude < smallestKept) {
                assertEquals(0, readBack[i], format + ", " + what + ": a pruned entry");
            }
        }
    }

    /** Half the distance to the next number; a scale is itself rounded to 8 bits. */
    private static double limit(NumberFormat format, double magnitude, double largest) {
        return switch (format) {
            case FLOAT32 -> 0;
            case BFLOAT16 -> magnitude / 256;
            case FLOAT16 -> magnitude / 2048;
            case INT8 -> largest / 127 / 2 * (1 + 1.0 / 256);
            case INT4 -> largest / 7 / 2 * (1 + 1.0 / 256);
        };
    }

    private static float[] keysReadBack(NumberFormat format, float[] keys) {
        float[] readBack = new float[keys.length];
        KernelProvider provider = provider(format);
        AttentionKernels kernels = provider.create(Backend.SCALAR);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tile = arena.allocate(provider.layout().tileBytes(), 64);
            kernels.packKeys(0, keys, UNIT_SCALES, tile, 0);
            kernels.unpackKeys(0, tile, 0, UNIT_SCALES, readBack);
        }
        return readBack;
    }

    private static float[] valuesReadBack(NumberFormat format, float[] values) {
        float[] readBack = new float[values.length];
        KernelProvider provider = provider(format);
        AttentionKernels kernels = provider.create(Backend.SCALAR);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tile = arena.allocate(provider.layout().tileBytes(), 64);
            kernels.packValues(values, tile, 0);
            kernels.unpackValues(tile, 0, readBack);
        }
        return readBack;
    }

    /** Keeps 13 of 64 channels of a key and 20 of 64 tokens of a value channel. */
    private static KernelProvider provider(NumberFormat format) {
        return Providers.OF[format.ordinal()];
    }

    private static final class Providers {

        private static final KernelProvider[] OF = compile();

        private static KernelProvider[] compile() {
            List<AttentionModel> models =
                    Arrays.stream(NumberFormat.values()).map(KeptEntryRoundingTest::model).toList();
            CompiledSpecifications compiled = CompiledSpecifications.of(models);
            return models.stream().map(compiled::provider).toArray(KernelProvider[]::new);
        }
    }

    private static AttentionModel model(NumberFormat format) {
        return Specifications.model(
                "Rounding" + format,
                1,
                HEAD_DIM,
                new PruningModel(0.8, Restoration.NONE, ChannelWeight.MEAN, Centering.NONE, format),
                new PruningModel(0.7, Restoration.NONE, ChannelWeight.MEAN, Centering.NONE, format),
                List.of());
    }

    private static double[] row(float[] rows, int row) {
        double[] copy = new double[HEAD_DIM];
        for (int i = 0; i < HEAD_DIM; i++) {
            copy[i] = rows[row * HEAD_DIM + i];
        }
        return copy;
    }

    private static double[] column(float[] rows, int column) {
        double[] copy = new double[TILE];
        for (int i = 0; i < TILE; i++) {
            copy[i] = rows[i * HEAD_DIM + column];
        }
        return copy;
    }
}
