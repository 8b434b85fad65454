package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.diagnostics.Severity;
import dev.attune.processor.model.SourceFingerprint;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every message: its exact text, line and column. */
class MessageTest {

    private static final String IMPORT = "import dev.attune.annotations.*;\n";
    private static final String SPEC = "@AttentionSpec(queryHeads = 32, keyValueHeads = 8, headDim = 128)\n";

    @TempDir
    Path folder;

    /**
     * Sources with marks, and what is expected at each mark, in order; at no place if there are no marks.
     *
     * @param texts what the message says each time
     */
    record Case(
            Message message,
            Map<String, String> sources,
            List<String> options,
            boolean vectors,
            Optional<String> profile,
            List<String> texts) {

        static Case of(Message message, String source, String text) {
            return new Case(
                    message, Map.of("Foo", IMPORT + source), List.of(), true, Optional.empty(), List.of(text));
        }

        /** A case of a compilation with one profile. */
        static Case profile(Message message, String profile, String source, String text) {
            return new Case(
                    message,
                    Map.of("Foo", IMPORT + source),
                    List.of("-Aattune.profile=FOLDER/tuned.json"),
                    true,
                    Optional.of(profile),
                    List.of(text));
        }

        /** A case of one attribute list of a specification {@code Foo}. */
        static Case attributes(Message message, String attributes, String text) {
            return of(message, "@AttentionSpec(" + attributes + ")\ninterface Foo {}\n", text);
        }

        Case and(String name, String source, String... more) {
            Map<String, String> all = new LinkedHashMap<>(sources);
            all.put(name, source.matches("(?s)(module|package).*") ? source : IMPORT + source);
            return new Case(message, all, options, vectors, profile,
                    Stream.concat(texts.stream(), Stream.of(more)).toList());
        }

        Case options(String... options) {
            return new Case(message, sources, List.of(options), vectors, profile, texts);
        }

        Case withoutVectors() {
            return new Case(message, sources, options, false, profile, texts);
        }

        @Override
        public String toString() {
            return message + " " + texts.getFirst();
        }
    }

    static Stream<Case> cases() {
        return Stream.of(
                Case.of(Message.NOT_AN_INTERFACE, SPEC + "§class Foo {}",
                        "[ATT001] Foo is a class, not an interface; declare it as 'interface Foo {}'"),
                Case.of(Message.NOT_AN_INTERFACE, SPEC + "§record Foo() {}",
                        "[ATT001] Foo is a record, not an interface; declare it as 'interface Foo {}'"),
                Case.of(Message.NOT_AN_INTERFACE, SPEC + "§enum Foo {}",
                        "[ATT001] Foo is an enum, not an interface; declare it as 'interface Foo {}'"),
                Case.of(Message.NOT_AN_INTERFACE, "interface Outer {\n" + SPEC + "    @§interface Foo {}\n}",
                        "[ATT001] Outer.Foo is an annotation type, not an interface; "
                                + "declare it as 'interface Foo {}'"),
                Case.of(Message.GENERIC, SPEC + "§interface Foo<T> {}",
                        "[ATT002] the specification Foo has type parameters; "
                                + "remove them: one specification describes one attention layer"),
                Case.of(Message.PRIVATE, "class Outer {\n" + SPEC + "    private §interface Foo {}\n}",
                        "[ATT003] generated kernels cannot refer to the specification Outer.Foo: Foo is private; "
                                + "remove 'private' from Foo"),
                Case.of(Message.PRIVATE,
                        "class Outer {\n  private static class Middle {\n" + SPEC + "    §interface Foo {}\n  }\n}",
                        "[ATT003] generated kernels cannot refer to the specification Outer.Middle.Foo: Middle is "
                                + "private; remove 'private' from Middle"),
                Case.of(Message.INNER, "class Outer {\n  class Middle {\n" + SPEC + "    §interface Foo {}\n  }\n}",
                        "[ATT004] the specification Outer.Middle.Foo is declared inside the inner class Middle; "
                                + "make Middle static, or move the specification out of it"),

                Case.attributes(Message.HEAD_DIM_OUT_OF_RANGE, "queryHeads = 8, keyValueHeads = 8, headDim = §528",
                        "[ATT010] headDim = 528 is outside 16..512; the nearest supported head dimension is 512"),
                Case.attributes(Message.HEAD_DIM_OUT_OF_RANGE, "queryHeads = 8, keyValueHeads = 8,\nheadDim = §-8",
                        "[ATT010] headDim = -8 is outside 16..512; the nearest supported head dimension is 16"),
                Case.attributes(Message.HEAD_DIM_NOT_A_MULTIPLE, "queryHeads = 8, keyValueHeads = 8, headDim = §100",
                        "[ATT011] headDim = 100 is not a multiple of 16; the nearest multiples are 96 and 112"),
                Case.attributes(Message.HEADS_OUT_OF_RANGE, "queryHeads = §0, keyValueHeads = 8, headDim = 128",
                        "[ATT012] queryHeads = 0 is outside 1..1024; set it to the model's number of heads"),
                Case.attributes(Message.HEADS_OUT_OF_RANGE, "queryHeads = 8, keyValueHeads = §-2, headDim = 128",
                        "[ATT012] keyValueHeads = -2 is outside 1..1024; set it to the model's number of heads"),
                Case.attributes(Message.HEADS_OUT_OF_RANGE, "queryHeads = §1025, keyValueHeads = 8, headDim = 128",
                        "[ATT012] queryHeads = 1025 is outside 1..1024; set it to the model's number of heads"),
                Case.attributes(Message.HEADS_OUT_OF_RANGE,
                        "queryHeads = Integer§.MAX_VALUE, keyValueHeads = 1, headDim = 16",
                        "[ATT012] queryHeads = 2147483647 is outside 1..1024; set it to the model's number of heads"),
                Case.attributes(Message.HEADS_OUT_OF_RANGE,
                        "queryHeads = 8,\n    keyValueHeads = §2048, headDim = 128",
                        "[ATT012] keyValueHeads = 2048 is outside 1..1024; set it to the model's number of heads"),
                Case.attributes(Message.QUERY_HEADS_NOT_A_MULTIPLE,
                        "queryHeads = §30, keyValueHeads = 8, headDim = 128",
                        "[ATT013] queryHeads = 30 is not a multiple of keyValueHeads = 8; "
                                + "the nearest supported number of query heads is 32"),
                Case.attributes(Message.QUERY_HEADS_NOT_A_MULTIPLE,
                        "queryHeads = §3, keyValueHeads = 8, headDim = 128",
                        "[ATT013] queryHeads = 3 is not a multiple of keyValueHeads = 8; "
                                + "the nearest supported number of query heads is 8"),
                Case.attributes(Message.QUERY_HEADS_NOT_A_MULTIPLE,
                        "queryHeads = §1023, keyValueHeads = 100, headDim = 128",
                        "[ATT013] queryHeads = 1023 is not a multiple of keyValueHeads = 100; "
                                + "the nearest supported number of query heads is 1000"),
                Case.attributes(Message.QUERY_HEADS_NOT_A_MULTIPLE,
                        "queryHeads = §1024, keyValueHeads = 600, headDim = 128",
                        "[ATT013] queryHeads = 1024 is not a multiple of keyValueHeads = 600; "
                                + "the nearest supported number of query heads is 600"),
                Case.attributes(Message.RATIO_OUT_OF_RANGE,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n"
                                + "    keys = @ChannelPruning(restoration = Restoration.NONE, ratio = §1.2)",
                        "[ATT014] keys.ratio = 1.2 is outside [0, 1); a ratio of 0.8 keeps 26 of 128 channels"),
                Case.attributes(Message.RATIO_OUT_OF_RANGE,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 64, keys = @ChannelPruning(ratio = §1)",
                        "[ATT014] keys.ratio = 1.0 is outside [0, 1); a ratio of 0.8 keeps 13 of 64 channels"),
                Case.attributes(Message.RATIO_OUT_OF_RANGE,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 256, keys = @ChannelPruning(),\n"
                                + "    values = @ChannelPruning(ratio = §-0.5)",
                        "[ATT014] values.ratio = -0.5 is outside [0, 1); a ratio of 0.8 keeps 13 of 64 tokens"),
                Case.attributes(Message.RATIO_OUT_OF_RANGE,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n"
                                + "    values = @ChannelPruning(ratio = Double§.NaN)",
                        "[ATT014] values.ratio = NaN is outside [0, 1); a ratio of 0.8 keeps 13 of 64 tokens"),
                Case.attributes(Message.WINDOW_NOT_POSITIVE,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128, window = §0",
                        "[ATT015] window = 0 is less than 1; remove it to use the default of 32 positions"),

                Case.attributes(Message.KEYS_ONLY,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n"
                                + "    values = @ChannelPruning(channelWeight = ChannelWeight§.MEAN)",
                        "[ATT020] values.channelWeight has no meaning: it applies to keys only; remove it"),
                Case.attributes(Message.KEYS_ONLY,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n"
                                + "    values = @ChannelPruning(ratio = 0.5, centering = Centering§.NONE)",
                        "[ATT020] values.centering has no meaning: it applies to keys only; remove it"),
                Case.of(Message.VECTOR_MODULE_NOT_ADDED, "§" + SPEC + "interface Foo {}",
                        "[ATT021] the backends VECTOR_512, VECTOR_256, VECTOR_128 need the module "
                                + "jdk.incubator.vector, which this compilation does not see; compile with "
                                + "'--add-modules jdk.incubator.vector', or set 'backends = {}'").withoutVectors(),
                Case.attributes(Message.VECTOR_MODULE_NOT_ADDED,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n    backends = Backend§.VECTOR_256",
                        "[ATT021] the backends VECTOR_256 need the module "
                                + "jdk.incubator.vector, which this compilation does not see; compile with "
                                + "'--add-modules jdk.incubator.vector', or set 'backends = {}'").withoutVectors(),
                Case.of(Message.VECTOR_MODULE_NOT_REQUIRED, "",
                        "[ATT022] the backends VECTOR_128 need the module jdk.incubator.vector, which the module "
                                + "kernels does not read; add 'requires jdk.incubator.vector;' to its "
                                + "module-info.java, or set 'backends = {}'")
                        .and("Bar", "@AttentionSpec(queryHeads = 8, keyValueHeads = 8, headDim = 128, "
                                + "backends = §{Backend.VECTOR_128})\ninterface Bar {}")
                        .and("module-info", "module kernels { requires static dev.attune.annotations; }")
                        // Resolving the module is not enough for a named one: it has to read it.
                        .options("--add-modules=jdk.incubator.vector"),

                Case.attributes(Message.INTEGERS_NEED_PRUNING,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n"
                                + "    values = @ChannelPruning(ratio = 0, format = NumberFormat§.INT8)",
                        "[ATT023] values.format = INT8 stores kept entries alone, but with values.ratio = 0 nothing is "
                                + "pruned; prune with a ratio of 0.5 or more, or store values as BFLOAT16"),
                Case.attributes(Message.INTEGERS_NEED_PRUNING,
                        "queryHeads = 8, keyValueHeads = 8, headDim = 128,\n"
                                + "    keys = @ChannelPruning(format = NumberFormat§.INT4, ratio = 0)",
                        "[ATT023] keys.format = INT4 stores kept entries alone, but with keys.ratio = 0 nothing is "
                                + "pruned; prune with a ratio of 0.5 or more, or store keys as BFLOAT16"),

                Case.of(Message.GENERATED_BY_TWO, "§" + SPEC + "interface Foo {}",
                        "[ATT030] Foo and FooScalar would both generate the class FooScalarKernels; "
                                + "rename one of the two")
                        .and("FooScalar", "§" + SPEC + "interface FooScalar {}",
                                "[ATT030] FooScalar and Foo would both generate the class FooScalarKernels; "
                                        + "rename one of the two"),
                Case.of(Message.GENERATED_BY_TWO, "§" + SPEC + "interface Outer_Foo {}",
                        "[ATT030] Outer_Foo and Outer.Foo would both generate the class Outer_FooKernels; "
                                + "rename one of the two")
                        .and("Outer", "class Outer {\n  §" + SPEC + "  interface Foo {}\n}",
                                "[ATT030] Outer.Foo and Outer_Foo would both generate the class Outer_FooKernels; "
                                        + "rename one of the two"),
                Case.of(Message.GENERATED_BY_TWO, "\n§" + SPEC + "interface Foo {}",
                        "[ATT030] Foo and FooVector512Ahead0 would both generate the class "
                                + "FooVector512Ahead0Kernels; rename one of the two")
                        .and("FooVector512Ahead0", "§" + SPEC + "interface FooVector512Ahead0 {}",
                                "[ATT030] FooVector512Ahead0 and Foo would both generate the class "
                                        + "FooVector512Ahead0Kernels; rename one of the two"),
                Case.of(Message.GENERATED_BY_TWO, "§" + SPEC + "interface Foo {}",
                        "[ATT030] Foo and FooVector512Ahead2 would both generate the class "
                                + "FooVector512Ahead2Kernels; rename one of the two")
                        .and("FooVector512Ahead2", "\n\n§" + SPEC + "interface FooVector512Ahead2 {}",
                                "[ATT030] FooVector512Ahead2 and Foo would both generate the class "
                                        + "FooVector512Ahead2Kernels; rename one of the two")
                        .options("-Aattune.variants=all"),
                Case.of(Message.GENERATED_AND_DECLARED, "§" + SPEC + "interface Foo {}",
                        "[ATT031] Foo would generate the class FooVector512Kernels, which is declared in the "
                                + "source; rename one of the two")
                        .and("FooVector512Kernels", "class FooVector512Kernels {}"),
                Case.of(Message.GENERATED_AND_DECLARED, "\n§" + SPEC + "interface Foo {}",
                        "[ATT031] Foo would generate the class FooVector256GatherKernels, which is declared in the "
                                + "source; rename one of the two")
                        .and("FooVector256GatherKernels", "class FooVector256GatherKernels {}"),
                Case.of(Message.GENERATED_AND_DECLARED, "§" + SPEC + "interface Foo {}",
                        "[ATT031] Foo would generate the class FooVector256GatherAhead4Kernels, which is declared in "
                                + "the source; rename one of the two")
                        .and("FooVector256GatherAhead4Kernels", "class FooVector256GatherAhead4Kernels {}")
                        .options("-Aattune.variants=all"),

                Case.of(Message.OPTION_UNKNOWN, SPEC + "interface Foo {}",
                        "[ATT040] there is no option -Aattune.backend; "
                                + "the options are -Aattune.backends, -Aattune.profile, "
                                + "-Aattune.profile.only, -Aattune.variants, -Aattune.verbose")
                        .options("-Aattune.backend=scalar"),
                Case.of(Message.OPTION_INVALID, SPEC + "interface Foo {}",
                        "[ATT041] -Aattune.backends=scalar,avx is not understood; its values are "
                                + "a comma-separated list of scalar, vector128, vector256, vector512, opencl")
                        .options("-Aattune.backends=scalar,avx"),
                Case.of(Message.OPTION_INVALID, SPEC + "interface Foo {}",
                        "[ATT041] -Aattune.verbose= is not understood; its values are true, false")
                        .options("-Aattune.verbose"),
                Case.of(Message.OPTION_INVALID, SPEC + "interface Foo {}",
                        "[ATT041] -Aattune.profile= is not understood; its values are files that 'attune tune ... "
                                + "--export' wrote, separated by '" + File.pathSeparator + "'")
                        .options("-Aattune.profile="),
                Case.of(Message.OPTION_INVALID, SPEC + "interface Foo {}",
                        "[ATT041] -Aattune.profile.only=yes is not understood; its values are true, false")
                        .options("-Aattune.profile.only=yes"),
                Case.of(Message.OPTION_INVALID, SPEC + "interface Foo {}",
                        "[ATT041] -Aattune.variants=many is not understood; its values are usual, all")
                        .options("-Aattune.variants=many"),
                Case.of(Message.OPTION_NEEDS_ANOTHER, SPEC + "interface Foo {}",
                        "[ATT042] -Aattune.profile.only=true has no meaning without -Aattune.profile; "
                                + "add -Aattune.profile=, or remove -Aattune.profile.only")
                        .options("-Aattune.profile.only=true"),

                Case.of(Message.FILE_NOT_WRITTEN, "",
                        "[ATT050] blocked.BarKernels.java cannot be written: java.io.IOException: "
                                + "could not create parent directories; make sure that the output folder "
                                + "can be written and that nothing else generates this file")
                        .and("Bar", "package blocked;\n" + IMPORT + "§" + SPEC + "interface Bar {}"),

                Case.of(Message.GENERATED, "§" + SPEC + "interface Foo {}",
                        "[ATT060] Foo generated FooKernels, FooScalarKernels, FooVector256Kernels; "
                                + "remove -Aattune.verbose to silence this note")
                        .options("-Aattune.verbose=true", "-Aattune.backends=vector256"),

                Case.of(Message.PROFILE_UNREADABLE, SPEC + "interface Foo {}",
                        "[ATT070] the profile FOLDER/none.json cannot be read: java.nio.file.NoSuchFileException: "
                                + "FOLDER/none.json; name a file that 'attune tune ... --export' wrote, by its path "
                                + "from " + Path.of("").toAbsolutePath())
                        .options("-Aattune.profile=FOLDER/none.json"),
                Case.profile(Message.PROFILE_INVALID, """
                        {
                          "format": "attune-profile-1"
                          "environments": []
                        }
                        """, SPEC + "interface Foo {}",
                        "[ATT071] the profile FOLDER/tuned.json is not understood at line 3, column 3: "
                                + "Unexpected character ('\"' (code 34)): was expecting comma to separate Object "
                                + "entries; run 'attune tune ... --export FOLDER/tuned.json' again"),
                Case.profile(Message.PROFILE_INVALID, """
                        {
                          "format": "attune-profile-1",
                          "environments": [{"environment": {}, "records": []}]
                        }
                        """, SPEC + "interface Foo {}",
                        "[ATT071] the profile FOLDER/tuned.json is not understood at line 3, column 36: "
                                + "environments[0].environment has no member \"vectorBits\"; "
                                + "run 'attune tune ... --export FOLDER/tuned.json' again"),
                Case.profile(Message.PROFILE_VERSION_UNKNOWN, "{\"format\": \"attune-profile-2\"}",
                        SPEC + "interface Foo {}",
                        "[ATT072] the profile FOLDER/tuned.json is not used: it has the format attune-profile-2, and "
                                + "this version of Attune reads attune-profile-1; "
                                + "run 'attune tune ... --export FOLDER/tuned.json' again with this version"),
                Case.profile(Message.PROFILE_SPECIFICATION_UNKNOWN,
                        profile("models.Bar", SpecCompilation.FINGERPRINT, "vector512"),
                        SPEC + "interface Foo {}",
                        "[ATT073] the profile FOLDER/tuned.json was measured of models.Bar, which is no specification "
                                + "of this compilation or on its class path; run 'attune tune ... --export "
                                + "FOLDER/tuned.json' again if it was renamed or removed; give each module a profile "
                                + "of its own if it is another module's"),
                Case.profile(Message.PROFILE_SPECIFICATION_CHANGED,
                        profile("Foo", new SourceFingerprint("0123456789abcdef", "c0dec0dec0dec0de"), "vector512"),
                        "\n    §" + SPEC + "interface Foo {}",
                        "[ATT074] the profile FOLDER/tuned.json is not used for Foo on AMD EPYC (amd64, 512-bit "
                                + "vectors): it was measured with other numbers or backends (hash 0123456789abcdef, "
                                + "now 5eed5eed5eed5eed); "
                                + "run 'attune tune Foo ... --export FOLDER/tuned.json' there, with all its "
                                + "specifications"),
                Case.profile(Message.PROFILE_KERNELS_CHANGED,
                        profile("Outer$Foo", new SourceFingerprint("5eed5eed5eed5eed", "0123456789abcdef"), "scalar"),
                        "",
                        "[ATT075] the profile FOLDER/tuned.json is not used for Outer.Foo on AMD EPYC (amd64, 512-bit "
                                + "vectors): it was measured with other kernels, of Attune 0.1.0 (hash "
                                + "0123456789abcdef, now c0dec0dec0dec0de); "
                                + "run 'attune tune Outer.Foo ... --export FOLDER/tuned.json' there, with all its "
                                + "specifications")
                        .and("Outer", "class Outer {\n    §" + SPEC + "interface Foo {}\n}"),
                Case.profile(Message.PROFILE_VARIANT_UNKNOWN,
                        profile("Foo", SpecCompilation.FINGERPRINT, "vector512-heads7"),
                        "§" + SPEC + "interface Foo {}",
                        "[ATT076] the profile FOLDER/tuned.json chooses vector512-heads7 for Foo, whose variants are "
                                + "vector512, vector512-ahead0, vector256, scalar; "
                                + "run 'attune tune Foo ... --export FOLDER/tuned.json' again, with all its "
                                + "specifications"));
    }

    private static String profile(String specification, SourceFingerprint fingerprint, String variant) {
        return new ProfileText()
                .on("AMD EPYC", 512)
                .record(specification, fingerprint, 4096, 1, variant, "vector512", "2026-01-31T12:00:00Z")
                .toString();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void saysWhatIsWrongWhereItIs(Case expected) throws IOException {
        // A file where the folder of a package belongs.
        Files.createFile(Files.createDirectories(folder.resolve("generated")).resolve("blocked"));
        SpecCompilation compilation = new SpecCompilation(folder).options(expected.options());
        expected.sources().forEach(compilation::source);
        if (expected.profile().isPresent()) {
            compilation.file("tuned.json", expected.profile().get());
        }
        if (!expected.vectors()) {
            compilation.withoutVectors();
        }

        SpecCompilation.Result result = compilation.compile();

        List<SpecCompilation.Place> places = compilation.marks().isEmpty()
                ? List.of(new SpecCompilation.Place("", Diagnostic.NOPOS, Diagnostic.NOPOS))
                : compilation.marks();
        Comparator<SpecCompilation.Reported> bySource = Comparator.comparing(reported ->
                List.copyOf(expected.sources().keySet()).indexOf(reported.place().source()));
        List<SpecCompilation.Reported> reported = result.reported().stream().sorted(bySource).toList();
        assertEquals(expected.texts(), reported.stream().map(SpecCompilation.Reported::text).toList());
        assertEquals(places, reported.stream().map(SpecCompilation.Reported::place).toList());
        boolean error = expected.message().severity() == Severity.ERROR;
        assertEquals(!error, result.succeeded());
        assertEquals(
                Set.of(Diagnostic.Kind.valueOf(expected.message().severity().name())),
                reported.stream().map(SpecCompilation.Reported::kind).collect(Collectors.toSet()));
        // javac warns of files that could not be opened, after the processor's own error.
        assertEquals(List.of(),
                result.fromJavac().stream().filter(text -> !text.startsWith("Unclosed files")).toList());
        if (error) {
            assertEquals(Set.of("blocked"), result.generated().keySet());
        }
    }

    @Test
    void everyMessageHasACase() {
        Set<Message> tested = cases().map(Case::message).collect(Collectors.toSet());
        assertEquals(EnumSet.allOf(Message.class), tested);
        assertTrue(cases().allMatch(each -> each.texts().stream()
                .allMatch(text -> text.startsWith("[" + each.message().id() + "] "))));
    }

    @Test
    void idsAreUniqueAndInOrder() {
        List<String> ids = Arrays.stream(Message.values()).map(Message::id).toList();
        assertEquals(ids.stream().distinct().sorted().toList(), ids);
        assertTrue(ids.stream().allMatch(id -> id.matches("ATT\\d{3}")), ids::toString);
    }

    @Test
    void aMessageTakesOneArgumentPerPlaceholder() {
        assertThrows(IllegalArgumentException.class,
                () -> Message.HEAD_DIM_OUT_OF_RANGE.at(Position.NOWHERE, 528));
        assertEquals("[ATT010] headDim = $1 is outside 16..512; the nearest supported head dimension is {x}",
                Message.HEAD_DIM_OUT_OF_RANGE.at(Position.NOWHERE, "$1", "{x}").text());
    }
}
