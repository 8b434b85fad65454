package dev.attune.runtime.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.aparapi.device.OpenCLDevice;
import com.aparapi.natives.NativeLoader;
import com.palantir.javapoet.ClassName;
import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.runtime.Attune;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What needs a JVM of its own: signals, an Aparapi that is absent or a module, and device choices. */
class OpenClInItsOwnJvmTest {

    private static final String PROBE = "dev.attune.reference.SignalProbe";

    private record Result(int exit, String text) {}

    @Test
    void signalHandlersOfTheJvmSurviveTheDriversAndTheirCompilers() throws Exception {
        OpenClTestDevice.require();
        for (int run = 0; run < 3; run++) {
            Result result = onClassPath(true);
            assertEquals(0, result.exit, result.text);
            assertTrue(result.text.contains("survived"), result.text);
        }
    }

    @Test
    void withoutAparapiTheReasonSaysWhatToAdd() throws Exception {
        Result result = onClassPath(false);
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("no OpenCL: Aparapi is absent; add com.aparapi:aparapi:3.0.2"), result.text);
    }

    @Test
    void aDeviceThatIsNotThereIsReportedWithThoseThatAre() throws Exception {
        OpenClDevice device = OpenClTestDevice.require();
        Result result = onClassPath(true, "-Dattune.opencl.device=abacus");
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("attune.opencl.device = \"abacus\" is neither"), result.text);
        assertTrue(result.text.contains(device.name()), result.text);
    }

    @Test
    void aDeviceIsChosenByItsIndexOrAPartOfItsName() throws Exception {
        OpenClDevice device = OpenClTestDevice.require();
        String part = device.name().substring(0, device.name().length() / 2).toUpperCase(Locale.ROOT);
        for (String choice : List.of(Integer.toString(device.index()), part)) {
            Result result = onClassPath(true, "-Dattune.opencl.device=" + choice);
            assertTrue(result.text.contains("survived"), result.text);
        }
    }

    @Test
    void asModulesTheRuntimeAndAparapiFindEachOther() throws Exception {
        OpenClTestDevice.require();
        Result result = java(List.of(
                "-p",
                paths(Attune.class, Backend.class, OpenCLDevice.class, NativeLoader.class),
                "--add-modules",
                "dev.attune.runtime,aparapi,java.logging",
                "--enable-native-access=dev.attune.runtime,aparapi.jni",
                "-cp",
                paths(OpenClInItsOwnJvmTest.class),
                PROBE));
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("module dev.attune.runtime"), result.text);
        assertTrue(result.text.contains("survived"), result.text);
    }

    /** PoCL offers the processor as often as its environment names it. */
    @Test
    void aCacheSharedOutAmongTwoDevicesGivesTheSameResults() throws Exception {
        OpenClDevice device = OpenClTestDevice.require();
        Assumptions.assumeTrue(device.platform().contains("Portable"), "only PoCL pretends to have several devices");
        Result result = java(
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dattune.opencl.device=0,1",
                        "-Dattune.threads=3",
                        "-Dattune.verbose=run",
                        "-cp",
                        paths(
                                Attune.class, Backend.class, OpenClInItsOwnJvmTest.class, OpenCLDevice.class,
                                NativeLoader.class, AttentionModel.class, ClassName.class),
                        "dev.attune.runtime.kernels.ShardedCacheProbe"),
                Map.of("POCL_DEVICES", "pthread pthread"));
        assertEquals(0, result.exit, result.text);
        assertTrue(result.text.contains("devices 2"), result.text);
        assertTrue(result.text.contains("same"), result.text);
        // Four caches on devices and four in host memory do twenty steps each, from the same tokens on.
        for (String variant : List.of("opencl", "scalar")) {
            Pattern step = Pattern.compile("attune-run\tspecifications.Sharded\t3\t150\t" + variant + "\t[0-9]+");
            assertEquals(4, result.text.lines().filter(step.asMatchPredicate()).count(), result.text);
        }
    }

    private static Result onClassPath(boolean withAparapi, String... flags) throws Exception {
        List<String> arguments = new ArrayList<>(Arrays.asList(flags));
        arguments.add("--enable-native-access=ALL-UNNAMED");
        arguments.add("-cp");
        String own = paths(Attune.class, Backend.class, OpenClInItsOwnJvmTest.class);
        arguments.add(
                withAparapi ? own + File.pathSeparator + paths(OpenCLDevice.class, NativeLoader.class) : own);
        arguments.add(PROBE);
        return java(arguments);
    }

    private static Result java(List<String> arguments) throws Exception {
        return java(arguments, Map.of());
    }

    private static Result java(List<String> arguments, Map<String, String> environment) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), text);
    }

    private static String paths(Class<?>... classes) {
        return Arrays.stream(classes)
                .map(OpenClInItsOwnJvmTest::path)
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String path(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
