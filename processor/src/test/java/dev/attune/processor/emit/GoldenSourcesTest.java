package dev.attune.processor.emit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.KernelCompiler;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.model.PruningModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The generated text, word for word. {@code -Dgolden.update=true} rewrites the files; review their difference like any
 * other change.
 */
class GoldenSourcesTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final List<Backend> ALL =
            List.of(Backend.OPENCL, Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128);

    /** Between them: every kernel, every format, restoration, centering and channel weight, and uneven passes. */
    static List<AttentionModel> models() {
        return List.of(
                new AttentionModel(
                        "golden",
                        "Llama31",
                        32,
                        8,
                        128,
                        pruning(0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16),
                        pruning(0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16),
                        32,
                        true,
                        ALL),
                new AttentionModel(
                        "golden",
                        "Outer.Exact",
                        14,
                        2,
                        48,
                        pruning(0.8, Restoration.NONE, ChannelWeight.RMS, Centering.NONE, NumberFormat.FLOAT32),
                        pruning(0.5, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.FLOAT32),
                        16,
                        false,
                        List.of(Backend.OPENCL, Backend.VECTOR_256)),
                new AttentionModel(
                        "golden",
                        "Integers",
                        2,
                        1,
                        64,
                        pruning(0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.INT8),
                        pruning(0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.INT4),
                        32,
                        true,
                        List.of(Backend.OPENCL, Backend.VECTOR_512)),
                new AttentionModel(
                        "golden",
                        "Halves",
                        2,
                        1,
                        64,
                        pruning(0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.FLOAT16),
                        pruning(0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.FLOAT16),
                        32,
                        true,
                        List.of(Backend.VECTOR_256)),
                new AttentionModel(
                        "",
                        "Dense",
                        4,
                        4,
                        64,
                        pruning(0, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16),
                        pruning(0, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16),
                        32,
                        true,
                        List.of(Backend.OPENCL, Backend.VECTOR_512)));
    }

    private static PruningModel pruning(
            double ratio, Restoration restoration, ChannelWeight weight, Centering centering, NumberFormat format) {
        return new PruningModel(ratio, restoration, weight, centering, format);
    }

    @ParameterizedTest
    @MethodSource("models")
    void textMatchesTheGoldenFiles(AttentionModel model) throws IOException {
        for (GeneratedSource source : new KernelCompiler().compile(model)) {
            Path golden = file(source);
            if (Boolean.getBoolean("golden.update")) {
                Files.createDirectories(golden.getParent());
                Files.writeString(golden, source.text());
            }
            assertTrue(Files.exists(golden), () -> golden + " is missing; run with -Dgolden.update=true and review it");
            assertEquals(
                    Files.readString(golden),
                    source.text(),
                    () -> source.className() + " differs from " + golden
                            + "; if that is meant, run with -Dgolden.update=true and review the difference");
        }
    }

    @Test
    void everyGoldenFileIsStillGenerated() throws IOException {
        Set<Path> generated = models().stream()
                .flatMap(model -> new KernelCompiler().compile(model).stream())
                .map(GoldenSourcesTest::file)
                .collect(Collectors.toCollection(TreeSet::new));
        try (Stream<Path> files = Files.walk(GOLDEN)) {
            assertEquals(generated, files.filter(Files::isRegularFile).collect(Collectors.toCollection(TreeSet::new)));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void secondBuildIsIdentical(AttentionModel model) {
        assertEquals(new KernelCompiler().compile(model), new KernelCompiler().compile(model));
    }

    @ParameterizedTest
    @MethodSource("models")
    void linesAreReadable(AttentionModel model) {
        for (GeneratedSource source : new KernelCompiler().compile(model)) {
            source.text().lines().forEach(line -> {
                assertTrue(line.length() <= 120, () -> source.className() + ": line of " + line.length() + ": " + line);
                assertEquals(line.stripTrailing(), line, source.className());
                assertTrue(!line.contains("\t"), source.className());
            });
        }
    }

    private static Path file(GeneratedSource source) {
        return GOLDEN.resolve(source.className().replace('.', '/') + ".java.txt");
    }
}
