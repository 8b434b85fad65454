package dev.attune.runtime.tuning;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Everything that measurements depend on besides the kernels. Measurements of one environment are not used in another.
 *
 * @param processor the processor's model, as the operating system calls it
 * @param processors processors the JVM may use
 * @param vectorBits width of the vectors the JVM prefers; 0 if the Vector API cannot be used
 * @param system name of the operating system
 * @param architecture architecture of the processor, as the JVM calls it
 * @param vm name and vendor of the JVM
 * @param javaVersion its version
 * @param vmFlags options of the JVM that change what it makes of kernels, sorted, with spaces between them
 * @param devices OpenCL devices with their drivers' versions, with semicolons between them; empty if they are not used
 * @param attuneVersion Attune's version
 */
public record Environment(
        String processor,
        int processors,
        int vectorBits,
        String system,
        String architecture,
        String vm,
        String javaVersion,
        String vmFlags,
        String devices,
        String attuneVersion) {

    /** Options that change which instructions are compiled, how hot code gets compiled at all, or how memory is mapped. */
    private static final Pattern RELEVANT = Pattern.compile("-Xint|-Xcomp|-XX:[+-]?(Use(AVX|SSE|SVE|FMA|SuperWord"
            + "|JVMCICompiler|Graal|LargePages|TransparentHugePages|NUMA|VectorStubs|Compressed\\w+)|Tiered\\w+"
            + "|MaxVectorSize|EnableVector\\w+|AlignVector|\\w*Inline\\w*|LoopUnroll\\w+|CompileThreshold\\w*)\\b.*");

    /** Lines of /proc/cpuinfo to look at: one processor has some thirty. */
    private static final int CPUINFO_LINES = 200;

    /** Beside this class; the build writes the version into it. */
    private static final String VERSION_FILE = "attune.properties";

    /**
     * Describes this machine and JVM. Cheap: nothing is measured, no driver is loaded.
     *
     * @param vectorBits width of the vectors the JVM prefers, 0 if the Vector API cannot be used
     * @param devices OpenCL devices with their drivers' versions, empty if they are not used
     */
    public static Environment current(int vectorBits, List<String> devices) {
        return new Environment(
                processorModel(),
                Runtime.getRuntime().availableProcessors(),
                vectorBits,
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " of " + System.getProperty("java.vendor"),
                Runtime.version().toString(),
                relevantFlags(),
                String.join("; ", devices),
                readVersion());
    }

    /** Returns 16 hexadecimal digits that tell this environment from others. */
    public String hash() {
        return Digits.of(manifest().toString());
    }

    /** Returns the architecture and the width of the vectors, {@code amd64, 512-bit vectors}. */
    public String vectors() {
        return architecture + ", " + vectorBits + "-bit vectors";
    }

    /** Returns one line for readers. */
    public String describe() {
        return processor + ", " + processors + (processors == 1 ? " processor, " : " processors, ") + vectorBits
                + "-bit vectors, " + system + " " + architecture + ", " + vm + " " + javaVersion
                + (vmFlags.isEmpty() ? "" : ", " + vmFlags) + (devices.isEmpty() ? "" : ", " + devices)
                + ", Attune " + attuneVersion;
    }

    /** Returns all of it by name. */
    public Map<String, String> manifest() {
        Map<String, String> manifest = new LinkedHashMap<>();
        manifest.put("processor", processor);
        manifest.put("processors", Integer.toString(processors));
        manifest.put("vectorBits", Integer.toString(vectorBits));
        manifest.put("system", system);
        manifest.put("architecture", architecture);
        manifest.put("vm", vm);
        manifest.put("javaVersion", javaVersion);
        manifest.put("vmFlags", vmFlags);
        manifest.put("devices", devices);
        manifest.put("attuneVersion", attuneVersion);
        return manifest;
    }

    /** Reads what {@link #manifest} wrote. */
    static Environment of(JsonObject manifest) throws JsonException {
        try {
            return new Environment(
                    manifest.string("processor"),
                    Integer.parseInt(manifest.string("processors")),
                    Integer.parseInt(manifest.string("vectorBits")),
                    manifest.string("system"),
                    manifest.string("architecture"),
                    manifest.string("vm"),
                    manifest.string("javaVersion"),
                    manifest.string("vmFlags"),
                    manifest.string("devices"),
                    manifest.string("attuneVersion"));
        } catch (NumberFormatException invalid) {
            throw new JsonException("the environment's numbers: " + invalid.getMessage());
        }
    }

    /** Linux names the processor in a file; elsewhere its architecture must do. */
    private static String processorModel() {
        try (BufferedReader lines = Files.newBufferedReader(Path.of("/proc/cpuinfo"))) {
            return lines.lines()
                    .limit(CPUINFO_LINES)
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElseGet(() -> System.getProperty("os.arch"));
        } catch (IOException | UncheckedIOException unreadable) {
            return System.getProperty("os.arch");
        }
    }

    /** From the command line and the variables that add to it; the management interface would cost a start-up's time. */
    private static String relevantFlags() {
        Stream<String> command = Arrays.stream(
                ProcessHandle.current().info().arguments().orElseGet(() -> new String[0]));
        Stream<String> variables = Stream.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
                .map(System::getenv)
                .filter(value -> value != null)
                .flatMap(value -> Arrays.stream(value.split("\\s+")));
        return String.join(
                " ",
                Stream.concat(command, variables)
                        .filter(flag -> RELEVANT.matcher(flag).matches())
                        .distinct()
                        .sorted()
                        .toList());
    }

    private static String readVersion() {
        Properties properties = new Properties();
        try (InputStream file = Environment.class.getResourceAsStream(VERSION_FILE)) {
            if (file != null) {
                properties.load(new InputStreamReader(file, StandardCharsets.UTF_8));
            }
        } catch (IOException unreadable) {
            return "unknown";
        }
        return properties.getProperty("version", "unknown");
    }
}
