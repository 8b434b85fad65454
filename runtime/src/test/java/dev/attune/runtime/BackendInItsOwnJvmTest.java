package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.LadderProbe;
import dev.attune.reference.TunerProbe;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The choice of a backend under the flags users really pass. */
class BackendInItsOwnJvmTest {

    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    private static final String FLAG = "add --add-modules jdk.incubator.vector to the java command";

    private record Result(int exit, String text) {

        int count(String words) {
            return text.split(Pattern.quote(words), -1).length - 1;
        }

        List<String> verboseLines() {
            return text.lines().filter(line -> line.startsWith("attune-")).toList();
        }
    }

    @Test
    void withoutTheModuleScalarKernelsRunAndTheFlagIsLoggedOnce() throws Exception {
        Result result = onClassPath();
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("backend SCALAR"), result.text);
        assertTrue(result.text.contains("log-sum-exp 0.0"), result.text);
        // Three rungs of the ladder, printed and logged, and one warning for two calls.
        assertEquals(7, result.count(FLAG), result.text);
        assertEquals(1, result.count("could run on faster kernels"), result.text);
        String needed = "module jdk.incubator.vector is not resolved; " + FLAG;
        String record = "INFO: dev.attune.reference.SmallLayer runs on scalar: plain Java, always available; "
                + "vector512: " + needed + "; vector256: " + needed + "; vector128: " + needed + System.lineSeparator();
        assertEquals(1, result.count(record), result.text);
        assertEquals(1, result.count("INFO: dev.attune"), result.text);
        assertTrue(result.text.contains("WARNING"), result.text);
    }

    @Test
    void withTheModuleVectorsOfAPreferredWidthRun() throws Exception {
        Result result = onClassPath(VECTORS);
        assertEquals(0, result.exit, result.text);
        int bits = new RunningPlatform().preferredVectorBits();
        assertTrue(result.text.contains("backend VECTOR_" + bits), result.text);
        assertFalse(result.text.contains("WARNING: dev.attune"), result.text);
        String chosen = "vector" + bits + ": the widest generated vectors within the " + bits
                + " bits this machine prefers; ";
        assertTrue(result.text.contains("SmallLayer runs on " + chosen), result.text);
        assertTrue(result.text.contains("; scalar: not needed, vector" + bits + " is faster" + System.lineSeparator()),
                result.text);
        assertEquals(0, result.count(FLAG), result.text);
    }

    @Test
    void onAvx2VectorsOf512BitsAreNoCandidates() throws Exception {
        assumeTrue(
                System.getProperty("os.arch").equals("amd64") && new RunningPlatform().preferredVectorBits() >= 256);
        Result result = onClassPath(VECTORS, "-XX:UseAVX=2");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("backend VECTOR_256"), result.text);
        assertTrue(result.text.contains("vector512: wider than the 256 bits this machine prefers"), result.text);
    }

    @Test
    void whereVectorsAreNotCompiledScalarKernelsRun() throws Exception {
        Result result = onClassPath(VECTORS, "-XX:TieredStopAtLevel=1");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("backend SCALAR"), result.text);
        assertTrue(
                result.text.contains("which a measurement says this JVM does not compile to instructions"),
                result.text);
    }

    @Test
    void thePropertyForcesABackend() throws Exception {
        Result result = onClassPath(VECTORS, "-Dattune.backend=scalar");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("backend SCALAR"), result.text);
        assertTrue(result.text.contains("scalar: forced by the system property attune.backend"), result.text);
    }

    @Test
    void forcingVectorsWithoutTheModuleFailsWithTheFlag() throws Exception {
        Result result = onClassPath("-Dattune.backend=vector128");
        assertNotEquals(0, result.exit);
        assertTrue(result.text.contains("IllegalStateException"), result.text);
        assertTrue(result.text.contains(FLAG), result.text);
    }

    @Test
    void anInvalidPropertyListsTheValidNames() throws Exception {
        Result result = onClassPath("-Dattune.backend=AVX-512");
        assertNotEquals(0, result.exit);
        assertTrue(result.text.contains("valid are vector512, vector256, vector128, scalar"), result.text);
    }

    @Test
    void thePropertyAndTheEnvironmentSetTheNumberOfThreads() throws Exception {
        Map<String, String> environment = Map.of("ATTUNE_THREADS", "5");
        Result both = java(LadderProbe.class, environment, classPath("-Dattune.threads=3"));
        assertTrue(both.text.contains("threads 3" + System.lineSeparator()), both.text);
        Result one = java(LadderProbe.class, environment, classPath());
        assertTrue(one.text.contains("threads 5" + System.lineSeparator()), one.text);
        Result invalid = java(LadderProbe.class, Map.of("ATTUNE_THREADS", "many"), classPath());
        assertNotEquals(0, invalid.exit);
        assertTrue(invalid.text.contains("variable ATTUNE_THREADS = \"many\" is no number"), invalid.text);
    }

    @Test
    void onTheModulePathTheRuntimeReadsTheVectorApi() throws Exception {
        Result result = onModulePath("dev.attune.runtime,jdk.incubator.vector");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("runtime in module dev.attune.runtime"), result.text);
        assertTrue(result.text.contains("backend VECTOR_" + new RunningPlatform().preferredVectorBits()), result.text);
    }

    @Test
    void onTheModulePathWithoutTheVectorApiScalarKernelsRun() throws Exception {
        Result result = onModulePath("dev.attune.runtime");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("runtime in module dev.attune.runtime"), result.text);
        assertTrue(result.text.contains("backend SCALAR"), result.text);
        assertEquals(7, result.count(FLAG), result.text);
    }

    @Test
    void verboseTopicsPrintTheirFieldsWithTabsAfterALineOfTheirNames() throws Exception {
        Result result = onClassPath("-Dattune.verbose=select, run", "-Dattune.threads=3");
        assertEquals(0, result.exit, result.text);
        String layer = "dev.attune.reference.SmallLayer\t3\t";
        String needed = "\tunsupported\tmodule jdk.incubator.vector is not resolved; " + FLAG;
        List<String> choice = List.of(
                "attune-select\t" + layer + "vector512" + needed,
                "attune-select\t" + layer + "vector256" + needed,
                "attune-select\t" + layer + "vector128" + needed,
                "attune-select\t" + layer + "scalar\tchosen\tplain Java, always available");
        List<String> expected = new ArrayList<>();
        expected.add("attune-select\tspecification\tthreads\tvariant\tverdict\treason");
        expected.addAll(choice);
        expected.addAll(choice);
        expected.add("attune-run\tspecification\tthreads\ttokens\tvariant\tmicros");
        List<String> lines = result.verboseLines();
        assertEquals(expected, lines.subList(0, lines.size() - 1));
        assertTrue(lines.getLast().matches("attune-run\t" + layer + "1\tscalar\t[0-9]+"), lines.getLast());
    }

    @Test
    void whatIsMeasuredIsPrintedVariantByVariant() throws Exception {
        Result result = java(TunerProbe.class, Map.of(), classPath("-Dattune.verbose=tune"));
        assertEquals(0, result.exit, result.text);
        String layer = "attune-tune\tdev.attune.reference.SmallLayer\t3\t1024\t";
        String needed = "\tUNSUPPORTED\tNaN\tmodule jdk.incubator.vector is not resolved; " + FLAG;
        assertEquals(
                List.of(
                        "attune-tune\tspecification\tthreads\tcontextTokens\tvariant\tverdict"
                                + "\tnanosPerTokenHead\treason",
                        layer + "vector512" + needed,
                        layer + "vector256" + needed,
                        layer + "vector128" + needed,
                        layer + "scalar\tCHOSEN\tNaN\tthe default, the budget sufficed for 0 rounds, of which 5 are"
                                + " needed; give more time"),
                result.verboseLines());
    }

    @Test
    void withoutATopicNothingIsPrintedAndAnUnknownOneListsTheKnown() throws Exception {
        assertEquals(List.of(), onClassPath().verboseLines());
        Result result = java(LadderProbe.class, Map.of("ATTUNE_VERBOSE", "select,walk"), classPath());
        assertNotEquals(0, result.exit);
        assertTrue(
                result.text.contains("the environment variable ATTUNE_VERBOSE = \"select,walk\" is not valid; valid are"
                        + " select, tune, run, or several with commas between them"),
                result.text);
    }

    /** Tuning would go on for an hour. */
    @Test
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void tuningInTheBackgroundKeepsNoProcessAlive() throws Exception {
        Result result = onClassPath(VECTORS, "-Dattune.tune=background", "-Dattune.tune.budget=1h");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("still tuning, daemon true"), result.text);
        assertFalse(onClassPath(VECTORS).text.contains("still tuning"), "unless it is asked for");
    }

    private static Result onClassPath(String... flags) throws Exception {
        return java(LadderProbe.class, Map.of(), classPath(flags));
    }

    private static List<String> classPath(String... flags) throws Exception {
        List<String> command = new ArrayList<>(List.of(flags));
        command.add("-cp");
        command.add(paths(Attune.class, Backend.class, LadderProbe.class));
        return command;
    }

    private static Result onModulePath(String modules) throws Exception {
        return java(
                LadderProbe.class,
                Map.of(),
                List.of(
                        "-p",
                        paths(Attune.class, Backend.class),
                        "--add-modules",
                        modules,
                        "-cp",
                        paths(LadderProbe.class)));
    }

    private static Result java(Class<?> main, Map<String, String> environment, List<String> flags)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.add(main.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), text);
    }

    /** Where the classes were loaded from. */
    private static String paths(Class<?>... classes) throws Exception {
        List<String> paths = new ArrayList<>();
        for (Class<?> each : classes) {
            paths.add(Path.of(each.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
        }
        return String.join(File.pathSeparator, paths);
    }
}
