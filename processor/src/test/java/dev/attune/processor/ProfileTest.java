package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.processor.model.SourceFingerprint;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compilations with profiles: what they decide, and when they do not. */
class ProfileTest {

    private static final String SPEC = """
            package models;
            import dev.attune.annotations.*;
            @AttentionSpec(queryHeads = 8, keyValueHeads = 2, headDim = 128,
                    values = @ChannelPruning(ratio = 0.8),
                    backends = {Backend.VECTOR_512, Backend.VECTOR_256, Backend.OPENCL})
            """;
    private static final String TIME = "2026-01-31T12:00:00Z";
    private static final String LATER = "2026-01-31T12:00:00.5Z";
    private static final Pattern FINGERPRINT = Pattern.compile("new Fingerprint\\(\"(\\w+)\", \"(\\w+)\"\\)");
    private static final Pattern VARIANT = Pattern.compile("new KernelVariant\\(\"([^\"]+)\"");
    private static final Pattern CHOICE = Pattern.compile(
            "new TunedChoice\\(\"([^\"]*)\",\\s+\"([^\"]*)\",\\s+(\\d+),\\s+(\\d+),\\s+\"([^\"]*)\"\\)");

    private static SourceFingerprint now;

    @TempDir
    Path folder;

    @BeforeEach
    void askForTheFingerprint(@TempDir Path other) throws IOException {
        if (now == null) {
            Matcher matcher = FINGERPRINT.matcher(compilation(other).generate().generated().get("FooKernels"));
            assertTrue(matcher.find());
            now = new SourceFingerprint(matcher.group(1), matcher.group(2));
        }
    }

    private static SpecCompilation compilation(Path folder) {
        return new SpecCompilation(folder).source("Foo", SPEC + "interface Foo {}");
    }

    /** Returns the classes of {@code models.Foo} with a profile of which nothing is wrong. */
    private Map<String, String> generate(ProfileText profile, String... options) throws IOException {
        SpecCompilation.Result result = compilation(folder)
                .file("tuned.json", profile.toString())
                .options(List.of("-Aattune.profile=FOLDER/tuned.json"))
                .options(List.of(options))
                .generate();
        assertTrue(result.succeeded(), result::toString);
        assertEquals(List.of(), result.texts());
        return result.generated();
    }

    private static ProfileText onZen() {
        return new ProfileText().on("Zen", 512);
    }

    private static ProfileText add(ProfileText text, int context, int threads, String chosen, String byDefault) {
        return text.record("models.Foo", now, context, threads, chosen, byDefault, TIME);
    }

    private static List<String> variants(Map<String, String> generated) {
        return VARIANT.matcher(generated.get("FooKernels")).results().map(match -> match.group(1)).toList();
    }

    private static List<String> choices(Map<String, String> generated) {
        return CHOICE.matcher(generated.get("FooKernels"))
                .results()
                .map(match -> Stream.of(1, 2, 3, 4, 5).map(match::group).reduce((a, b) -> a + " | " + b).orElseThrow())
                .toList();
    }

    @Test
    void theFactoryHasTheChoicesMachineByMachineAndShortContextsFirst() throws IOException {
        ProfileText profile = onZen();
        add(profile, 32768, 1, "vector512-ahead0", "vector512");
        add(profile, 4096, 2, "vector512", "vector512");
        add(profile, 4096, 1, "vector512-heads2-streams2", "vector512");
        add(profile.on("Atom", 256), 4096, 1, "vector256-ahead0", "vector256");
        add(profile.on("Zen", 256), 4096, 1, "opencl", "vector256");

        assertEquals(
                List.of("Zen | amd64, 512-bit vectors | 4096 | 1 | vector512-heads2-streams2",
                        "Zen | amd64, 512-bit vectors | 4096 | 2 | vector512",
                        "Zen | amd64, 512-bit vectors | 32768 | 1 | vector512-ahead0",
                        "Atom | amd64, 256-bit vectors | 4096 | 1 | vector256-ahead0",
                        "Zen | amd64, 256-bit vectors | 4096 | 1 | opencl"),
                choices(generate(profile)));
    }

    @Test
    void aBackendsDefaultStaysItsFirstAndWinnersFollow() throws IOException {
        List<String> unmeasured = variants(compilation(folder.resolve("unmeasured")).generate().generated());
        assertEquals(
                List.of("opencl", "vector512", "vector512-ahead0", "vector512-heads2-streams2",
                        "vector512-heads1-streams4", "vector256", "vector256-ahead0", "vector256-heads1-streams2",
                        "vector256-gather", "scalar"),
                unmeasured);

        ProfileText profile = onZen();
        add(profile, 1024, 1, "vector512-heads2-streams2", "vector512");
        add(profile, 2048, 1, "vector512-heads1-streams4", "vector512");
        add(profile, 4096, 1, "vector512-heads1-streams4", "vector512");
        add(profile, 8192, 1, "vector256-heads1-streams2", "vector512");
        assertEquals(
                List.of("opencl", "vector512", "vector512-heads1-streams4", "vector512-heads2-streams2",
                        "vector512-ahead0", "vector256", "vector256-heads1-streams2", "vector256-ahead0",
                        "vector256-gather", "scalar"),
                variants(generate(profile)));
    }

    @Test
    void kernelsAndFingerprintDoNotDependOnTheProfile() throws IOException {
        Map<String, String> without = compilation(folder.resolve("without")).generate().generated();
        ProfileText profile = add(onZen(), 1024, 1, "vector512-ahead0", "vector512");
        Map<String, String> all = generate(profile);
        Map<String, String> reduced = generate(profile, "-Aattune.profile.only=true");

        assertNotEquals(without.get("FooKernels"), all.get("FooKernels"));
        assertEquals(withoutFactory(without), withoutFactory(all));
        Map<String, String> rest = new TreeMap<>(withoutFactory(without));
        rest.keySet().retainAll(reduced.keySet());
        assertEquals(rest, withoutFactory(reduced));
        for (Map<String, String> each : List.of(without, all, reduced)) {
            Matcher matcher = FINGERPRINT.matcher(each.get("FooKernels"));
            assertTrue(matcher.find());
            assertEquals(now, new SourceFingerprint(matcher.group(1), matcher.group(2)));
        }
    }

    private static Map<String, String> withoutFactory(Map<String, String> generated) {
        Map<String, String> kernels = new TreeMap<>(generated);
        kernels.remove("FooKernels");
        return kernels;
    }

    @Test
    void generatesOnlyWinnersAndWhatPacksForThemOnRequest() throws IOException {
        ProfileText profile = add(onZen(), 1024, 1, "vector256-heads1-streams2", "vector512");
        Map<String, String> generated = generate(profile, "-Aattune.profile.only=true");

        assertEquals(List.of("vector256", "vector256-heads1-streams2", "scalar"), variants(generated));
        assertEquals(
                Set.of("FooKernels", "FooScalarKernels", "FooVector256Kernels",
                        "FooVector256Heads1Streams2Kernels"),
                generated.keySet());
        assertFalse(generated.get("FooKernels").contains("openCl()"));
        assertFalse(generated.get("FooKernels").contains("Vector512"));
    }

    @Test
    void generatesOnlyTheProgramAndTheOracleWhereDevicesWin() throws IOException {
        ProfileText profile = add(onZen(), 1024, 1, "opencl", "vector512");
        Map<String, String> generated = generate(profile, "-Aattune.profile.only=true");
        assertEquals(List.of("opencl", "scalar"), variants(generated));
        assertEquals(Set.of("FooKernels", "FooScalarKernels", "FooOpenClKernels"), generated.keySet());
    }

    @Test
    void generatesEverythingForSpecificationsThatNoProfileKnows() throws IOException {
        ProfileText profile = add(onZen(), 1024, 1, "scalar", "vector512");
        SpecCompilation.Result result = compilation(folder)
                .source("Bar", SPEC + "interface Bar {}")
                .file("tuned.json", profile.toString())
                .options(List.of("-Aattune.profile=FOLDER/tuned.json", "-Aattune.profile.only=true"))
                .generate();

        assertEquals(List.of(), result.texts());
        assertEquals(
                Set.of("FooKernels", "FooScalarKernels"),
                Set.copyOf(result.generated().keySet().stream().filter(name -> name.startsWith("Foo")).toList()));
        assertEquals(11, result.generated().keySet().stream().filter(name -> name.startsWith("Bar")).count());
        assertFalse(result.generated().get("BarKernels").contains("TunedChoice"));
    }

    @Test
    void anOutdatedProfileLeavesEverythingAsItWouldBeWithoutOne() throws IOException {
        Map<String, String> without = compilation(folder.resolve("without")).generate().generated();
        SourceFingerprint other = new SourceFingerprint(now.specification(), "0123456789abcdef");
        SpecCompilation.Result result = compilation(folder)
                .file("tuned.json", onZen()
                        .record("models.Foo", other, 1024, 1, "vector512-ahead0", "vector512", TIME)
                        .toString())
                .options(List.of("-Aattune.profile=FOLDER/tuned.json", "-Aattune.profile.only=true"))
                .generate();

        assertTrue(result.succeeded());
        assertEquals(1, result.texts().size(), result::toString);
        assertTrue(result.texts().getFirst().startsWith("[ATT075]"), result::toString);
        assertEquals(without, result.generated());
    }

    @Test
    void doesNotReportOldMeasurementsOfAMachineThatMeasuredAgain() throws IOException {
        SourceFingerprint other = new SourceFingerprint(now.specification(), "0123456789abcdef");
        ProfileText profile = onZen()
                .record("models.Foo", other, 1024, 1, "vector512", "vector512", LATER)
                .record("models.Foo", now, 4096, 1, "vector512-ahead0", "vector512", TIME);
        assertEquals(
                List.of("Zen | amd64, 512-bit vectors | 4096 | 1 | vector512-ahead0"), choices(generate(profile)));
    }

    @Test
    void reportsEveryMachineThatMeasuredOtherKernelsOnce() throws IOException {
        SourceFingerprint kernels = new SourceFingerprint(now.specification(), "0123456789abcdef");
        SourceFingerprint numbers = new SourceFingerprint("fedcba9876543210", now.sources());
        ProfileText profile = onZen()
                .record("models.Foo", kernels, 1024, 1, "vector512", "vector512", TIME)
                .record("models.Foo", numbers, 2048, 1, "vector512", "vector512", TIME)
                .on("Atom", 256)
                .record("models.Foo", kernels, 1024, 1, "vector256", "vector256", TIME)
                .on("Core", 256)
                .record("models.Foo", numbers, 1024, 1, "vector256", "vector256", TIME);
        List<String> texts = compilation(folder)
                .file("tuned.json", profile.toString())
                .options(List.of("-Aattune.profile=FOLDER/tuned.json"))
                .generate()
                .texts();

        assertEquals(2, texts.size(), texts::toString);
        assertTrue(texts.get(0).startsWith("[ATT074] the profile FOLDER/tuned.json is not used for models.Foo on Core "
                + "(amd64, 256-bit vectors): it was measured with other numbers"), texts::toString);
        assertTrue(texts.get(1).startsWith("[ATT075] the profile FOLDER/tuned.json is not used for models.Foo on Zen "
                + "(amd64, 512-bit vectors) and Atom (amd64, 256-bit vectors): it was measured with other kernels"),
                texts::toString);
    }

    @Test
    void theLaterOfTwoMeasurementsCounts() throws IOException {
        ProfileText profile = onZen()
                .record("models.Foo", now, 4096, 1, "vector512-ahead0", "vector512", LATER)
                .on("Zen", 512)
                .record("models.Foo", now, 4096, 1, "vector512-heads1-streams4", "vector512", TIME);
        assertEquals(
                List.of("Zen | amd64, 512-bit vectors | 4096 | 1 | vector512-ahead0"), choices(generate(profile)));
    }

    @Test
    void theFirstOfTwoProfilesCounts() throws IOException {
        ProfileText first = add(onZen(), 4096, 1, "vector512-ahead0", "vector512");
        ProfileText second = onZen()
                .record("models.Foo", now, 4096, 1, "vector512", "vector512", LATER)
                .record("models.Foo", now, 2048, 1, "vector512", "vector512", LATER);
        SpecCompilation.Result result = compilation(folder)
                .file("first.json", first.toString())
                .file("second.json", second.toString())
                .options(List.of(
                        "-Aattune.profile=FOLDER/first.json" + File.pathSeparator + "FOLDER/second.json"))
                .generate();

        assertEquals(List.of(), result.texts());
        assertEquals(
                List.of("Zen | amd64, 512-bit vectors | 4096 | 1 | vector512-ahead0",
                        "Zen | amd64, 512-bit vectors | 2048 | 1 | vector512"),
                choices(result.generated()));
    }

    @Test
    void operationsOtherThanTheDecodeStepArePassedOver() throws IOException {
        String profile = onZen()
                .record("models.Gone", now, 4096, 1, "vector512", "vector512", TIME)
                .toString()
                .replace("\"attend\"", "\"pack\"");
        SpecCompilation.Result result = compilation(folder)
                .file("tuned.json", profile)
                .options(List.of("-Aattune.profile=FOLDER/tuned.json"))
                .generate();
        assertEquals(List.of(), result.texts());
        assertEquals(List.of(), choices(result.generated()));
    }

    @Test
    void theTextIsTheSameWhereverTheProfileLies() throws IOException {
        ProfileText profile = add(onZen(), 4096, 1, "vector512-ahead0", "vector512");
        Map<String, String> here = generate(profile);
        Path elsewhere = Files.createDirectories(folder.resolve("some/where else"));
        Files.move(folder.resolve("tuned.json"), elsewhere.resolve("tuned.json"));
        SpecCompilation.Result there = compilation(folder.resolve("there"))
                .options(List.of("-Aattune.profile=" + elsewhere.resolve("tuned.json")))
                .generate();
        assertEquals(here, there.generated());
    }

    @Test
    void aPathIsRelativeToTheFolderOfTheCompiler() throws IOException {
        ProfileText profile = add(onZen(), 4096, 1, "vector512-ahead0", "vector512");
        compilation(folder).file("tuned.json", profile.toString());
        Path relative = Path.of("").toAbsolutePath().relativize(folder.resolve("tuned.json").toAbsolutePath());
        SpecCompilation.Result result = compilation(folder)
                .options(List.of("-Aattune.profile=" + relative))
                .generate();
        assertEquals(List.of(), result.texts());
        assertEquals(1, choices(result.generated()).size());
    }

    @Test
    void theDocumentationSaysWhichProfileDecided() throws IOException {
        ProfileText profile = onZen();
        add(profile, 4096, 1, "vector512-heads2-streams2", "vector512");
        add(profile, 131072, 16, "vector512", "vector512");
        add(profile.on("Intel(R) Xeon(R) CPU @ 2.00GHz, */ {@inheritDoc} \\u002a/ <br>".replace("\\", "\\\\"), 256),
                4096, 1, "vector256-ahead0", "vector256");
        String factory = generate(profile, "-Aattune.profile.only=true").get("FooKernels");

        assertTrue(factory.contains("""
                 *
                 * <p>Where nothing else is known, choices measured before compilation decide which variant runs.
                 * Others than the fastest were not generated, but for what packs for them, and plain Java.
                 * Times are nanoseconds per token and key-value head.
                 *
                 * <p>From tuned.json, for Zen (amd64, 512-bit vectors):
                 * <ul>
                 * <li>4096 tokens, 1 thread: vector512-heads2-streams2 0.250; the default vector512 0.500
                 * <li>131072 tokens, 16 threads: vector512 0.250, the default
                 * </ul>
                 *
                 * <p>From tuned.json, for Intel(R) Xeon(R) CPU &#64; 2.00GHz, &#42;&#47; &#123;&#64;inheritDoc&#125;
                 * &#92;u002a&#47; &#60;br&#62; (amd64, 256-bit vectors):
                 * <ul>
                 * <li>4096 tokens, 1 thread: vector256-ahead0 0.250; the default vector256 0.500
                 * </ul>
                 */
                public final class FooKernels implements KernelProvider {
                """), factory);
        assertTrue(factory.contains("""
                    private static final List<TunedChoice> TUNED_CHOICES = List.of(
                            new TunedChoice("Zen", "amd64, 512-bit vectors", 4096, 1, "vector512-heads2-streams2"),
                """), factory);
        assertTrue(factory.contains("""
                    @Override
                    public List<TunedChoice> tunedChoices() {
                        return TUNED_CHOICES;
                    }
                """), factory);
        factory.lines().forEach(line -> assertTrue(line.length() <= 120, line));
    }

    @Test
    void aWarningFailsWithWerrorUnlessWarningsAreSilenced() throws IOException {
        String profile = onZen().record("models.Gone", now, 4096, 1, "vector512", "vector512", TIME).toString();
        List<String> options = List.of("-Aattune.profile=FOLDER/tuned.json", "-Werror");
        SpecCompilation.Result strict =
                compilation(folder).file("tuned.json", profile).options(options).generate();
        assertFalse(strict.succeeded());
        assertEquals(Diagnostic.Kind.WARNING, strict.reported().getFirst().kind());

        SpecCompilation.Result silent = compilation(folder.resolve("silent"))
                .file("tuned.json", profile).options(options).options(List.of("-nowarn")).generate();
        assertTrue(silent.succeeded(), silent::toString);
    }

    @Test
    void anIncrementalBuildKnowsTheSpecificationsItDoesNotCompile() throws IOException {
        ProfileText profile = onZen()
                .record("models.Outer$Bar", now, 4096, 1, "vector512", "vector512", TIME)
                .record("models.Foo", SpecCompilation.FINGERPRINT, 4096, 1, "vector512", "vector512", TIME);
        new SpecCompilation(folder)
                .source("Outer", """
                        package models;
                        import dev.attune.annotations.*;
                        class Outer {
                            @AttentionSpec(queryHeads = 8, keyValueHeads = 2, headDim = 64)
                            interface Bar {}
                        }
                        """)
                .compile();
        SpecCompilation.Result second = compilation(folder)
                .file("tuned.json", profile.toString())
                .options(List.of("-Aattune.profile=FOLDER/tuned.json"))
                .compile();
        assertEquals(List.of(), second.texts());

        Files.delete(folder.resolve("classes/models/Outer$Bar.class"));
        Files.delete(folder.resolve("classes/models/Outer.class"));
        SpecCompilation.Result third = compilation(folder)
                .options(List.of("-Aattune.profile=FOLDER/tuned.json"))
                .compile();
        assertEquals(1, third.texts().size(), third::toString);
        assertTrue(third.texts().getFirst().startsWith("[ATT073] the profile FOLDER/tuned.json was measured of "
                + "models.Outer$Bar, which is no specification"), third::toString);
    }

    @Test
    void anInterfaceWithoutTheAnnotationIsNoSpecification() throws IOException {
        SpecCompilation.Result result = compilation(folder)
                .source("Plain", "package models; interface Plain {}")
                .file("tuned.json", onZen()
                        .record("models.Plain", now, 4096, 1, "vector512", "vector512", TIME)
                        .toString())
                .options(List.of("-Aattune.profile=FOLDER/tuned.json"))
                .compile();
        assertEquals(1, result.texts().size(), result::toString);
        assertTrue(result.texts().getFirst().startsWith("[ATT073]"), result::toString);
    }

    @Test
    void anUnreadableProfileKeepsTheProvidersOfEarlierBuilds() throws IOException {
        compilation(folder).compile();
        SpecCompilation second = compilation(folder)
                .source("Bar", SPEC + "interface Bar {}")
                .options(List.of("-Aattune.profile=FOLDER"));
        SpecCompilation.Result result = second.compile();
        assertFalse(result.succeeded());
        assertEquals(1, result.texts().size(), result::toString);
        assertTrue(result.texts().getFirst().startsWith("[ATT070]"), result::toString);
        assertEquals(List.of("models.FooKernels"), second.providers());
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "-Aattune.profile=FOLDER/tuned.json", "-Aattune.profile=FOLDER/tuned.json,-Aattune.profile.only=true"})
    void secondBuildIsIdentical(String options, @TempDir Path other) throws IOException {
        ProfileText profile = add(onZen(), 4096, 1, "vector512-ahead0", "vector512");
        String text = profile.toString();
        List<String> given = List.of(options.split(","));
        assertEquals(
                compilation(folder).file("tuned.json", text).options(given).generate().generated(),
                compilation(other).file("tuned.json", text).options(given).generate().generated());
    }
}
