package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is chosen, and what it computes, where a JVM compiles only a part of what kernels are built on. */
class RowsInTheirOwnJvmTest {

    private static final Pattern ERROR = Pattern.compile("error (\\S+)");

    @BeforeEach
    void onlyOnX86() {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "the flags are those of x86");
    }

    /** Processors from before AVX2 have no multiply-adds. */
    @Test
    void withoutMultiplyAddsRowsOfHeadsIn128BitsAgreeWithPlainJava() throws Exception {
        String text = run("-XX:UseAVX=1", "-XX:-UseFMA");
        assertTrue(
                text.contains("vector128-gather: the widest generated vectors within the 128 bits this machine prefers"
                        + " whose operations this JVM compiles"),
                text);
        assertTrue(text.contains("vector128: its kernels multiply and add at once"), text);
        assertTrue(text.contains("scalar: not needed, vector128-gather is faster"), text);
        assertAgrees(text);
    }

    @Test
    void withoutPermutesRowsOfHeadsAgreeWithPlainJava() throws Exception {
        String text = run(
                "-XX:UseAVX=2",
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:DisableIntrinsic=_VectorSelectFromTwoVectorOp,_VectorRearrange");
        assertTrue(text.contains("-gather: the widest generated vectors within the"), text);
        assertTrue(text.contains("vector128: its kernels look entries up by permutes of two vectors"), text);
        assertAgrees(text);
    }

    /** Processors up to AVX2 pick from two vectors by several instructions. */
    @Test
    void wherePermutesAreSlowRowsOfHeadsGoFirstAndAgreeWithPlainJava() throws Exception {
        String text = run("-XX:UseAVX=2");
        assertTrue(text.contains("-gather: the widest generated vectors within the"), text);
        assertTrue(text.contains("-gather does without permutes, which are slow here"), text);
        assertAgrees(text);
    }

    @Test
    void whereOneInstructionPermutesTheDefaultGoesFirst() throws Exception {
        assumeTrue(Files.readString(Path.of("/proc/cpuinfo")).contains("avx512vl"), "this processor has no AVX-512");
        String text = run("-XX:UseAVX=3", "-XX:MaxVectorSize=32");
        assertTrue(text.contains("vector256: the widest generated vectors within the 256 bits"), text);
        assertAgrees(text);
    }

    @Test
    void withoutAvxPlainJavaRuns() throws Exception {
        String text = run("-XX:UseAVX=0");
        assertTrue(text.contains("scalar: plain Java, always available"), text);
        assertTrue(text.contains("vector128-gather: its kernels compare, widen and take maxima of vectors"), text);
        assertAgrees(text);
    }

    /** The bound is the same as that of any kernels that add signs in fixed point. */
    private static void assertAgrees(String text) {
        Matcher matcher = ERROR.matcher(text);
        assertTrue(matcher.find(), text);
        assertTrue(Double.parseDouble(matcher.group(1)) < 1e-5, text);
    }

    private static String run(String... flags) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--add-modules", "jdk.incubator.vector", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(flags));
        command.add(RowsProbe.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), text);
        return text;
    }
}
