package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.LadderProbe;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The choice of a backend under the flags users really pass. */
class BackendInItsOwnJvmTest {

    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    private static final String FLAG = "add --add-modules jdk.incubator.vector to the java command";

    private record Result(int exit, String text) {

        int count(String words) {
            return text.split(Pattern.quote(words), -1).length - 1;
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
        Result both = java(environment, classPath("-Dattune.threads=3"));
        assertTrue(both.text.contains("threads 3" + System.lineSeparator()), both.text);
        Result one = java(environment, classPath());
        assertTrue(one.text.contains("threads 5" + System.lineSeparator()), one.text);
        Result invalid = java(Map.of("ATTUNE_THREADS", "many"), classPath());
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

    private static Result onClassPath(String... flags) throws Exception {
        return java(Map.of(), classPath(flags));
    }

    private static List<String> classPath(String... flags) throws Exception {
        List<String> command = new ArrayList<>(List.of(flags));
        command.add("-cp");
        command.add(paths(Attune.class, Backend.class, LadderProbe.class));
        return command;
    }

    private static Result onModulePath(String modules) throws Exception {
        return java(
                Map.of(),
                List.of(
                        "-p",
                        paths(Attune.class, Backend.class),
                        "--add-modules",
                        modules,
                        "-cp",
                        paths(LadderProbe.class)));
    }

    private static Result java(Map<String, String> environment, List<String> flags)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.add(LadderProbe.class.getName());
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
