package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.model.PruningModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionSpecProcessorTest {

    private static final String SPEC = """
            package models;
            import dev.attune.annotations.*;
            @AttentionSpec(queryHeads = 32, keyValueHeads = 8, headDim = 128)
            """;

    @TempDir
    Path folder;

    private SpecCompilation compilation;

    @BeforeEach
    void newCompilation() {
        compilation = new SpecCompilation(folder);
    }

    @Test
    void generatesTheFactoryAndAClassPerBackend() throws IOException {
        SpecCompilation.Result result = compilation.source("Foo", SPEC + "interface Foo {}").compile();

        assertTrue(result.succeeded(), result::toString);
        assertEquals(
                Set.of("FooKernels", "FooScalarKernels", "FooVector128Kernels", "FooVector256Kernels",
                        "FooVector512Kernels"),
                result.generated().keySet());
        assertEquals(List.of(), result.texts());
    }

    @Test
    void generatesEverythingThatCanBePlannedOnRequest() throws IOException {
        Map<String, String> usual =
                compilation.source("Foo", SPEC + "interface Foo {}").generate().generated();
        SpecCompilation.Result result = new SpecCompilation(folder.resolve("all"))
                .source("Foo", SPEC + "interface Foo {}")
                .options(List.of("-Aattune.variants=all"))
                .generate();

        assertEquals(List.of(), result.texts());
        assertFalse(usual.containsKey("FooVector512Heads1Ahead2Kernels"));
        assertTrue(result.generated().containsKey("FooVector512Heads1Ahead2Kernels"));
        usual.forEach((name, text) -> {
            // Only the factory has more to list, and a fingerprint of more kernels.
            assertEquals(name.equals("FooKernels"), !text.equals(result.generated().get(name)), name);
        });
    }

    @Test
    void handsEveryAttributeToTheCompiler() throws IOException {
        List<AttentionModel> models = new ArrayList<>();
        SpecCompilation.Result result = compilation
                .source("Outer", """
                        package models;
                        import dev.attune.annotations.*;
                        class Outer {
                            @AttentionSpec(queryHeads = 6, keyValueHeads = 3, headDim = Outer.CHANNELS / 2,
                                    keys = @ChannelPruning(ratio = 0.5, restoration = Restoration.NONE,
                                            channelWeight = ChannelWeight.RMS, centering = Centering.NONE,
                                            format = NumberFormat.FLOAT32),
                                    values = @ChannelPruning, window = 7, packGenerated = false,
                                    backends = {Backend.VECTOR_128, Backend.SCALAR, Backend.VECTOR_512,
                                            Backend.VECTOR_128})
                            interface Foo {}
                            static final int CHANNELS = 160;
                        }
                        """)
                .source("Plain", SPEC + "interface Plain {}")
                .compile(model -> {
                    models.add(model);
                    return SpecCompilation.placeholders(model);
                });

        assertTrue(result.succeeded(), result::toString);
        PruningModel byDefault = new PruningModel(
                0.8, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16);
        PruningModel dense = new PruningModel(
                0, Restoration.SIGN, ChannelWeight.MEAN, Centering.TILE, NumberFormat.BFLOAT16);
        PruningModel keys = new PruningModel(
                0.5, Restoration.NONE, ChannelWeight.RMS, Centering.NONE, NumberFormat.FLOAT32);
        assertEquals(
                List.of(
                        new AttentionModel("models", "Outer.Foo", 6, 3, 80, keys, byDefault, 7, false,
                                List.of(Backend.VECTOR_512, Backend.VECTOR_128)),
                        new AttentionModel("models", "Plain", 32, 8, 128, byDefault, dense, 32, true,
                                List.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128))),
                models);
    }

    @Test
    void reportsAllErrorsOfABrokenSpecificationAndGeneratesItsNeighbour() throws IOException {
        compilation.source("Broken", """
                import dev.attune.annotations.*;
                @AttentionSpec(queryHeads = §0, keyValueHeads = 8,
                        headDim = §100,
                        keys = @ChannelPruning(ratio = §1.2),
                        values = @ChannelPruning(
                                ratio = §-1,
                                centering = Centering§.TILE),
                        window = §-3)
                class Broken<T> {}
                """);
        SpecCompilation.Result result = compilation.source("Foo", SPEC + "interface Foo {}").compile();

        assertFalse(result.succeeded());
        assertEquals(
                List.of("ATT001", "ATT002", "ATT010", "ATT011", "ATT012", "ATT014", "ATT014", "ATT015", "ATT020"),
                idsOf(result, List.of("ATT010")));
        List<SpecCompilation.Place> places = result.reported().stream().map(SpecCompilation.Reported::place).toList();
        assertTrue(places.containsAll(compilation.marks()), places::toString);
        assertEquals(
                Set.of("FooKernels", "FooScalarKernels", "FooVector128Kernels", "FooVector256Kernels",
                        "FooVector512Kernels"),
                result.generated().keySet());
        assertEquals(List.of("models.FooKernels"), compilation.providers());
    }

    private static List<String> idsOf(SpecCompilation.Result result, List<String> more) {
        List<String> ids = new ArrayList<>(more);
        result.texts().forEach(text -> ids.add(text.substring(1, 7)));
        return ids.stream().sorted().toList();
    }

    @Test
    void generatesTheSameTextTwice(@TempDir Path other) throws IOException {
        Map<String, String> first = compilation.source("Foo", SPEC + "interface Foo {}").compile().generated();
        Map<String, String> second =
                new SpecCompilation(other).source("Foo", SPEC + "interface Foo {}").compile().generated();
        assertEquals(first, second);
    }

    @Test
    void canBuildAgainOverItsOwnOutput() throws IOException {
        compilation.source("Foo", SPEC + "interface Foo {}").compile();
        SpecCompilation.Result again =
                new SpecCompilation(folder).source("Foo", SPEC + "interface Foo {}").compile();
        assertTrue(again.succeeded(), again::toString);
        assertEquals(List.of(), again.texts());
    }

    @Test
    void leavesUnresolvedNamesToJavac() throws IOException {
        SpecCompilation.Result result = compilation
                .source("Foo", """
                        import dev.attune.annotations.*;
                        @AttentionSpec(queryHeads = Missing.HEADS, keyValueHeads = 8, headDim = 100)
                        interface Foo {}
                        @AttentionSpec(queryHeads = 8, keyValueHeads = 8, headDim = 100 + Missing.CHANNELS)
                        interface Bar {}
                        @AttentionSpec(queryHeads = 8, keyValueHeads = 8, headDim = 100,
                                keys = @ChannelPruning(ratio = Missing.RATIO))
                        interface Baz {}
                        """)
                .source("Sound", SPEC + "interface Sound {}")
                .compile();

        assertFalse(result.succeeded());
        assertEquals(List.of(), result.texts());
        assertFalse(result.fromJavac().isEmpty());
        assertTrue(result.generated().keySet().stream().allMatch(name -> name.startsWith("Sound")), result::toString);
        assertTrue(result.generated().containsKey("SoundKernels"), result::toString);
        assertEquals(List.of("models.SoundKernels"), compilation.providers());
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "queryHeads = 8, headDim = 100",
            "queryHeads = 8, keyValueHeads = \"8\", headDim = 100",
            "queryHeads = 8, keyValueHeads = 8, headDim = 100, keys = 1",
            "queryHeads = 8, keyValueHeads = 8, headDim = 100, keys = @Deprecated",
            "queryHeads = 8, keyValueHeads = 8, headDim = 100, backends = Missing.BACKEND",
            "queryHeads = 8, keyValueHeads = 8, headDim = 100, keys = @ChannelPruning(format = NumberFormat.FLOAT8)",
            "queryHeads = 8, keyValueHeads = 8, headDim = 100, backends = {null, Backend.VECTOR_64}"
    })
    void leavesWrongTypesToJavac(String attributes) throws IOException {
        SpecCompilation.Result result = compilation
                .source("Foo", "import dev.attune.annotations.*;\n@AttentionSpec(" + attributes + ") interface Foo {}")
                .compile();

        assertFalse(result.succeeded());
        assertFalse(result.fromJavac().isEmpty());
        assertEquals(List.of(), result.texts());
        assertEquals(Map.of(), result.generated());
    }

    @Test
    void waitsForConstantsThatAnotherProcessorGenerates() throws IOException {
        SpecCompilation.Result result = compilation
                .source("Foo", """
                        import dev.attune.annotations.*;
                        @AttentionSpec(queryHeads = Sizes.HEADS, keyValueHeads = 8, headDim = 128)
                        interface Foo {}
                        """)
                .processor(new SourceWriter("Sizes", "class Sizes { static final int HEADS = 16; }"))
                .compile();

        assertTrue(result.succeeded(), result::toString);
        assertTrue(result.generated().containsKey("FooKernels"), result::toString);
        assertEquals(List.of("FooKernels"), compilation.providers());
    }

    @Test
    void findsClashesAcrossRounds() throws IOException {
        SpecCompilation.Result result = compilation
                .source("Foo", "package models;\n"
                        + "import dev.attune.annotations.*;\n"
                        + "@AttentionSpec(queryHeads = 32, keyValueHeads = 8, headDim = 128)\n"
                        // javac no longer knows where the annotation of an earlier round was.
                        + "§interface Foo {}")
                .processor(new SourceWriter("models.FooScalar", SPEC + "interface FooScalar {}"))
                .compile();

        assertFalse(result.succeeded());
        assertEquals(
                List.of("[ATT030] models.Foo and models.FooScalar would both generate the class "
                                + "models.FooScalarKernels; rename one of the two",
                        "[ATT030] models.FooScalar and models.Foo would both generate the class "
                                + "models.FooScalarKernels; rename one of the two"),
                result.texts().stream().sorted().toList());
        assertTrue(result.reported().stream().anyMatch(each -> each.place().equals(compilation.marks().getFirst())),
                result::toString);
        assertEquals(List.of(), compilation.providers());
    }

    @Test
    void namesEveryOtherClaimantOfAClass() throws IOException {
        String nested = """
                package models;
                class %s {
                    @dev.attune.annotations.AttentionSpec(queryHeads = 8, keyValueHeads = 8, headDim = 64)
                    interface %s {}
                }
                """;
        SpecCompilation.Result result = compilation
                .source("A_B_C", SPEC + "interface A_B_C {}")
                .source("A", nested.formatted("A", "B_C"))
                .source("A_B", nested.formatted("A_B", "C"))
                .compile();
        List<String> pairs = result.texts().stream()
                .map(text -> text.replaceAll("^\\[ATT030] (\\S+) and (\\S+) would .*", "$1 $2")).sorted().toList();
        assertEquals(
                List.of("models.A.B_C models.A_B.C", "models.A.B_C models.A_B_C",
                        "models.A_B.C models.A.B_C", "models.A_B.C models.A_B_C",
                        "models.A_B_C models.A.B_C", "models.A_B_C models.A_B.C"),
                pairs);
    }

    @Test
    void leavesTheNamesOfVariantsThatAreNotGeneratedToOthers() throws IOException {
        SpecCompilation.Result result = compilation
                .source("Foo", SPEC + "interface Foo {}")
                .source("FooVector512Ahead2", SPEC + "interface FooVector512Ahead2 {}")
                .compile();
        assertTrue(result.succeeded(), result::toString);
        assertEquals(List.of("models.FooKernels", "models.FooVector512Ahead2Kernels"), compilation.providers());

        SpecCompilation all = new SpecCompilation(folder.resolve("all")).options(List.of("-Aattune.variants=all"));
        SpecCompilation.Result clash = all
                .source("Foo", SPEC + "interface Foo {}")
                .source("FooVector512Ahead2", SPEC + "interface FooVector512Ahead2 {}")
                .compile();
        assertEquals(List.of("ATT030", "ATT030"), idsOf(clash, List.of()));
        assertEquals(List.of(), all.providers());
    }

    @Test
    void claimsNoVariantsOfASpecificationThatCannotBePlanned() throws IOException {
        SpecCompilation.Result result = compilation
                .source("Foo", "package models; @dev.attune.annotations.AttentionSpec("
                        + "queryHeads = 0, keyValueHeads = 0, headDim = 0) interface Foo {}")
                .source("FooVector512Ahead0", SPEC + "interface FooVector512Ahead0 {}")
                .compile();
        assertEquals(List.of("ATT010", "ATT012", "ATT012"), idsOf(result, List.of()));
    }

    @Test
    void findsClassesThatAnotherProcessorGeneratedBefore() throws IOException {
        String late = "package models; @dev.attune.annotations.AttentionSpec("
                + "queryHeads = 8, keyValueHeads = 8, headDim = Sizes.CHANNELS) interface Late {}";
        SpecCompilation.Result result = compilation
                .source("Late", late)
                .source("Foo", SPEC + "interface Foo {}")
                .processor(new SourceWriter("models.Sizes", "package models; class Sizes { static int CHANNELS = 1; }"))
                .processor(new SourceWriter("models.LateKernels", "package models; class LateKernels {}"))
                .compile();
        // Sizes.CHANNELS is no constant, so Late never becomes readable: javac's error, not Attune's.
        assertFalse(result.succeeded());
        assertEquals(List.of(), result.texts());

        SpecCompilation.Result readable = new SpecCompilation(folder.resolve("readable"))
                .source("Late", late)
                .processor(new SourceWriter(
                        "models.Sizes", "package models; class Sizes { static final int CHANNELS = 64; }"))
                .processor(new SourceWriter("models.LateKernels", "package models; class LateKernels {}"))
                .compile();
        assertEquals(
                List.of("[ATT031] models.Late would generate the class models.LateKernels, which is declared in the "
                        + "source; rename one of the two"),
                readable.texts());
    }

    @Test
    void needsNoVectorApiForTheScalarBackendAlone() throws IOException {
        String scalar = """
                import dev.attune.annotations.*;
                @AttentionSpec(queryHeads = 8, keyValueHeads = 8, headDim = 128, backends = {})
                interface Foo {}
                """;
        SpecCompilation.Result result = compilation.withoutVectors().source("Foo", scalar).compile();
        assertTrue(result.succeeded(), result::toString);
        assertEquals(Set.of("FooKernels", "FooScalarKernels"), result.generated().keySet());
    }

    @Test
    void anOptionLimitsTheBackendsOfAllSpecifications() throws IOException {
        SpecCompilation.Result result = compilation.withoutVectors()
                .options(List.of("-Aattune.backends=scalar", "-Werror"))
                .source("Foo", SPEC + "interface Foo {}")
                .compile();
        assertTrue(result.succeeded(), result::toString);
        assertEquals(Set.of("FooKernels", "FooScalarKernels"), result.generated().keySet());
    }

    @Test
    void aNamedModuleThatRequiresTheVectorApiSeesIt() throws IOException {
        SpecCompilation.Result result = compilation
                .source("module-info", """
                        module kernels {
                            requires static dev.attune.annotations;
                            requires jdk.incubator.vector;
                        }
                        """)
                .source("Foo", SPEC + "interface Foo {}")
                .compile();
        assertTrue(result.succeeded(), result::toString);
        assertTrue(result.generated().containsKey("FooVector512Kernels"), result::toString);
    }

    @Test
    void aNamedModuleCanProvideAGeneratedFactory() throws IOException {
        SpecCompilation.Result result = compilation
                .options(List.of("-Aattune.backends=scalar"))
                .source("module-info", """
                        module kernels {
                            requires static dev.attune.annotations;
                            provides Runnable with models.FooKernels;
                        }
                        """)
                .source("Foo", SPEC + "interface Foo {}")
                .compile(model -> List.of(new GeneratedSource(
                        "models.FooKernels",
                        "package models; public class FooKernels implements Runnable { public void run() {} }")));
        assertTrue(result.succeeded(), result::toString);
    }

    @Test
    void reportsAnUnknownOptionOnceOnly() throws IOException {
        SpecCompilation.Result result = compilation
                .options(List.of("-Aattune.backend=scalar", "-Aother.option=1", "-Xlint:processing"))
                .source("Foo", SPEC + "interface Foo {}")
                .compile();
        assertEquals(1, result.texts().size(), result::toString);
        assertEquals(
                List.of("The following options were not recognized by any processor: '[other.option]'"),
                result.fromJavac().stream().filter(text -> text.contains("options")).toList());
        assertEquals(List.of(), compilation.providers());
    }
}
