package dev.attune.examples.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;

/**
 * Where the numbers were measured.
 *
 * @param processor its name, as the operating system gives it
 * @param cores cores the JVM may use
 * @param vectorBits width of the vectors the JVM prefers
 * @param system operating system and architecture
 * @param jvm name and version
 */
public record Machine(String processor, int cores, int vectorBits, String system, String jvm) {

    /** Describes this machine. */
    public static Machine here() {
        return new Machine(
                processorName(),
                Runtime.getRuntime().availableProcessors(),
                FloatVector.SPECIES_PREFERRED.vectorBitSize(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    }

    /** Returns everything in one line. */
    public String line() {
        return processor + ", " + cores + (cores == 1 ? " core, " : " cores, ") + vectorBits + "-bit vectors, "
                + system + ", " + jvm;
    }

    /** Linux names the processor in /proc/cpuinfo; elsewhere its architecture must do. */
    private static String processorName() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElseGet(() -> System.getProperty("os.arch"));
        } catch (IOException notLinux) {
            return System.getProperty("os.arch");
        }
    }
}
