package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.Fingerprint;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.TunedChoice;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningProfile;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A specification compiled with the profile that the runtime exported of its own kernels. */
class ProfiledSpecificationTest {

    private static final String SOURCE = """
            package models;
            import dev.attune.annotations.*;
            class Outer {
                @AttentionSpec(queryHeads = 2, keyValueHeads = 1, headDim = 64,
                        backends = {Backend.VECTOR_512, Backend.VECTOR_256})
                interface Foo {}
            }
            """;
    private static final Environment ZEN = environment("AMD EPYC, family 26, model 2", 512);
    private static final Environment XEON = environment("Intel(R) Xeon(R) CPU @ 2.00GHz", 256);

    @TempDir
    static Path folder;

    private static final List<URLClassLoader> LOADERS = new ArrayList<>();

    private static KernelProvider before;

    /** Name of a variant of 512 bits that is not the default. */
    private static String variant;

    @BeforeAll
    static void compileWithoutAProfile() throws IOException {
        before = compile("before");
        variant = before.variants().get(1).name();
        assertTrue(variant.startsWith("vector512-"), variant);
    }

    @AfterAll
    static void close() throws IOException {
        for (URLClassLoader loader : LOADERS) {
            loader.close();
        }
    }

    private static Environment environment(String processor, int vectorBits) {
        return new Environment(
                processor, 8, vectorBits, "Linux", "amd64", "a JVM", "25.0.1+8", "", "", "0.1.0-SNAPSHOT");
    }

    /** Compiles with every lint turned into an error, as warnings about profiles then are. */
    private static KernelProvider compile(String name, String... options) throws IOException {
        Path classes = Files.createDirectories(folder.resolve(name));
        List<String> arguments = new ArrayList<>(List.of(
                "-d", classes.toString(), "--release", "25", "--add-modules", "jdk.incubator.vector",
                "-Xlint:all,-incubating,-processing", "-Werror",
                "--processor-path", System.getProperty("java.class.path")));
        arguments.addAll(List.of(options));
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        JavaFileObject source = new SimpleJavaFileObject(
                URI.create("memory:///models/Outer.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return SOURCE;
            }
        };
        boolean succeeded = javac.getTask(null, null, diagnostics, arguments, null, List.of(source)).call();
        assertTrue(succeeded, () -> diagnostics.getDiagnostics().toString());
        URLClassLoader loader = new URLClassLoader(
                new URL[] {classes.toUri().toURL()}, KernelProvider.class.getClassLoader());
        LOADERS.add(loader);
        return ServiceLoader.load(KernelProvider.class, loader).stream()
                .filter(provider -> provider.type().getName().equals("models.Outer_FooKernels"))
                .findFirst()
                .orElseThrow()
                .get();
    }

    private static TuningRecord record(KernelProvider provider, int context, int threads, String fastest) {
        Fingerprint fingerprint = provider.fingerprint();
        List<CandidateResult> candidates = provider.variants().stream()
                .map(KernelVariant::name)
                .map(name -> name.equals(fastest)
                        ? new CandidateResult(name, Verdict.TIMED, "", 0.25, 0.2, 0.3, 9)
                        : name.equals("scalar")
                                ? CandidateResult.untimed(name, Verdict.UNSUPPORTED, "not asked for")
                                : new CandidateResult(name, Verdict.TIMED, "", 0.5, 0.4, 0.6, 9))
                .toList();
        return new TuningRecord(
                new TuningKey(
                        provider.specification().getName(),
                        fingerprint.specification(),
                        fingerprint.sources(),
                        "attend",
                        context,
                        provider.shape().groupSize(),
                        threads,
                        "test"),
                fastest,
                "vector512",
                "it was faster",
                Instant.parse("2026-01-31T12:00:00.123456789Z"),
                candidates);
    }

    private static String export(KernelProvider provider) throws IOException {
        TuningProfile profile = new TuningProfile(List.of(
                new TuningStore.Chapter(ZEN, List.of(
                        record(provider, 32768, 1, variant),
                        record(provider, 4096, 8, "vector512"))),
                new TuningStore.Chapter(XEON, List.of(record(provider, 4096, 1, variant)))));
        return Files.writeString(folder.resolve("tuned.json"), profile.toJson()).toString();
    }

    @Test
    void theProviderHasTheChoicesOfTheExport() throws IOException {
        KernelProvider after = compile("after", "-Aattune.profile=" + export(before));

        assertEquals(List.of(), before.tunedChoices());
        assertEquals(
                List.of(new TunedChoice(ZEN.processor(), ZEN.vectors(), 4096, 8, "vector512"),
                        new TunedChoice(ZEN.processor(), ZEN.vectors(), 32768, 1, variant),
                        new TunedChoice(XEON.processor(), XEON.vectors(), 4096, 1, variant)),
                after.tunedChoices());
        assertEquals(before.fingerprint(), after.fingerprint());
        assertEquals(
                before.variants().stream().map(KernelVariant::name).sorted().toList(),
                after.variants().stream().map(KernelVariant::name).sorted().toList());
    }

    @Test
    void aReducedProviderIsWholeAndOutlivesItsOwnProfile() throws IOException {
        KernelProvider reduced =
                compile("reduced", "-Aattune.profile=" + export(before), "-Aattune.profile.only=true");

        assertEquals(
                List.of("vector512", variant, "scalar"),
                reduced.variants().stream().map(KernelVariant::name).toList());
        reduced.variants().forEach(each -> assertNotNull(reduced.create(each)));
        assertEquals("vector512", reduced.variant(Backend.VECTOR_512).name());
        KernelVariant left = new KernelVariant(
                "vector256", Backend.VECTOR_256, reduced.variants().getFirst().strategy(), 1, 1, 0);
        IllegalArgumentException none =
                assertThrows(IllegalArgumentException.class, () -> reduced.create(left));
        assertTrue(none.getMessage().contains("vector256"), none::getMessage);

        // The choices of the reduced kernels are as good for another build: -Werror would not let it pass otherwise.
        KernelProvider again = compile("again", "-Aattune.profile=" + export(reduced));
        assertEquals(reduced.tunedChoices(), again.tunedChoices());
    }
}
