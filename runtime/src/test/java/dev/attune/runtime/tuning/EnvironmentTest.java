package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvironmentTest {

    /** Prints the options of the JVM that count. */
    static final class Probe {

        private Probe() {}

        public static void main(String[] arguments) {
            System.out.println(Environment.current(512, List.of()).vmFlags());
        }
    }

    @Test
    void itIsTheSameEveryTime() {
        Environment here = Environment.current(256, List.of("a device", "another"));
        assertEquals(here, Environment.current(256, List.of("a device", "another")));
        assertEquals(here.hash(), Environment.current(256, List.of("a device", "another")).hash());
        assertEquals(System.getProperty("os.arch") + ", 256-bit vectors", here.vectors());
        assertEquals("a device; another", here.devices());
        assertTrue(here.attuneVersion().matches("\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?"), here.attuneVersion());
        assertTrue(here.describe().contains("Attune " + here.attuneVersion()), here.describe());
    }

    @Test
    void theHashIsTheSameInEveryVersion() {
        // Computed with another implementation of FNV-1a.
        assertEquals("51cfe0cac6a0f28e", Samples.HERE.hash());
    }

    @Test
    void theManifestIsAllOfIt() throws Exception {
        String json = JsonWriter.write(Samples.ELSEWHERE.manifest());
        assertEquals(Samples.ELSEWHERE, Environment.of(JsonReader.read(json)));
    }

    @Test
    void whateverDiffersMakesAnotherHash() throws Exception {
        Set<String> hashes = new HashSet<>(Set.of(Samples.HERE.hash()));
        for (String name : Samples.HERE.manifest().keySet()) {
            Map<String, String> manifest = Samples.HERE.manifest();
            manifest.merge(name, "1", String::concat);
            hashes.add(Environment.of(JsonReader.read(JsonWriter.write(manifest))).hash());
        }
        assertEquals(1 + Samples.HERE.manifest().size(), hashes.size());
        assertNotEquals(Digits.of(List.of("ab", "c")), Digits.of(List.of("a", "bc")));
    }

    @Test
    void onlyOptionsThatMatterCount() {
        assertEquals("", VmOptions.relevant(List.of(
                "java", "-Xmx1g", "-Xlog:gc", "-XX:+UseG1GC", "-XX:+PrintCompilation", "-cp", "a",
                "-Dattune.backend=scalar", "UseAVX=2", "-XX:UseAVXish=2", "--add-modules=jdk.incubator.vector")));
        assertEquals(
                "-XX:-UseSuperWord -XX:CompileCommand=exclude,a -XX:CompileCommand=exclude,b -XX:UseAVX=2 -Xint",
                VmOptions.relevant(List.of(
                        "-Xint", "-XX:UseAVX=2", "-XX:CompileCommand=exclude,b", "-XX:CompileCommand=exclude,a",
                        "-XX:-UseSuperWord")));
    }

    @Test
    void ofAnOptionGivenTwiceTheLastCounts() {
        assertEquals("-XX:UseAVX=1", VmOptions.relevant(List.of("-XX:UseAVX=3", "-XX:UseAVX=1")));
        assertEquals("-XX:+UseSuperWord", VmOptions.relevant(List.of("-XX:-UseSuperWord", "-XX:+UseSuperWord")));
        assertEquals("-Xcomp", VmOptions.relevant(List.of("-Xint", "-Xcomp")));
    }

    @Test
    void optionsAreFoundWhereverTheyAreGiven(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("options"), "-XX:-UseSuperWord\n");
        assertEquals("", flags(Map.of()));
        assertEquals("-XX:-UseSuperWord", flags(Map.of(), "-XX:-UseSuperWord"));
        assertEquals("-XX:-UseSuperWord", flags(Map.of(), "@" + file), "from a file of arguments");
        assertEquals(
                "-XX:-UseSuperWord -XX:MaxInlineLevel=9",
                flags(Map.of("JDK_JAVA_OPTIONS", " -XX:MaxInlineLevel=9 -Da=b"), "-XX:-UseSuperWord"));
        assertEquals(
                "-XX:+UseSuperWord",
                flags(Map.of("JAVA_TOOL_OPTIONS", "-XX:-UseSuperWord"), "-XX:+UseSuperWord"),
                "the command line has the last word");
    }

    @Test
    void theVeryLongClassPathsOfApplicationsHideNothing() throws Exception {
        String property = "-Dlong=" + "x".repeat(100_000);
        assertEquals("-XX:-UseSuperWord", flags(Map.of(), property, "-XX:-UseSuperWord"));
    }

    private static String flags(Map<String, String> variables, String... options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", String.join(File.pathSeparator, path(Environment.class), path(Probe.class))));
        command.add(Probe.class.getName());
        // The JVM says on the error stream which variables it picked up.
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().keySet().removeAll(Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"));
        builder.environment().putAll(variables);
        Process process = builder.start();
        String line = process.inputReader().readLine();
        assertEquals(0, process.waitFor());
        return line;
    }

    private static String path(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    @Test
    void theFirstProcessorIsDescribed() {
        assertEquals("AMD EPYC, family 26, model 2", ProcessorModel.describe("""
                processor\t: 0
                vendor_id\t: AuthenticAMD
                cpu family\t: 26
                model\t\t: 2
                model name\t: AMD EPYC
                stepping\t: 1

                processor\t: 1
                model name\t: another
                """));
        assertEquals("implementer 0x41, part 0xd0c, variant 0x3", ProcessorModel.describe("""
                processor\t: 0
                BogoMIPS\t: 243.75
                CPU implementer\t: 0x41
                CPU architecture: 8
                CPU variant\t: 0x3
                CPU part\t: 0xd0c
                """));
        assertEquals("", ProcessorModel.describe(""));
        assertEquals("", ProcessorModel.describe("garbage\n:\nmodel name\nmodel name:   \n"));
    }
}
