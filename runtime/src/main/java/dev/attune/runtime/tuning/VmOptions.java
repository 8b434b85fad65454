package dev.attune.runtime.tuning;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The options of the running JVM that change what it makes of kernels. */
final class VmOptions {

    /** Options about which instructions are compiled, how hot code gets compiled at all, and how memory is mapped. */
    private static final Pattern RELEVANT = Pattern.compile("(?<mode>-Xint|-Xcomp|-Xmixed)"
            + "|-XX:[+-]?(?<name>Use(?:AVX|SSE|SVE|FMA|SuperWord|JVMCICompiler|Graal\\w*|LargePages"
            + "|TransparentHugePages|NUMA|VectorStubs|Compressed\\w+)|EnableJVMCI|Tiered\\w+|MaxVectorSize"
            + "|EnableVector\\w+|AlignVector|\\w*Inline\\w*|Loop\\w+|CompileThreshold\\w*)(?:=.*)?"
            + "|-XX:CompileCommand(?:File)?=.*");

    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

    /** More than Linux allows a command to have is not read. */
    private static final int LONGEST_COMMAND_LINE = 4 << 20;

    private VmOptions() {}

    /** Returns those of the running JVM, as {@link #relevant} does. */
    static String ofProcess() {
        List<String> options = new ArrayList<>();
        addWords(options, System.getenv("JAVA_TOOL_OPTIONS"));
        addWords(options, System.getenv("JDK_JAVA_OPTIONS"));
        options.addAll(commandLine());
        addWords(options, System.getenv("_JAVA_OPTIONS"));
        return relevant(options);
    }

    /**
     * Returns the options that matter, sorted, with spaces between them. Of an option that is given several times the
     * last one counts, as it does for the JVM.
     *
     * @param options in the order in which the JVM looks at them
     */
    static String relevant(List<String> options) {
        Map<String, String> last = new HashMap<>();
        for (String option : options) {
            if (option.startsWith("-X")) {
                Matcher matcher = RELEVANT.matcher(option);
                if (matcher.matches()) {
                    last.put(name(matcher), option);
                }
            }
        }
        return String.join(" ", new TreeSet<>(last.values()));
    }

    /** The modes of execution rule one another out, and commands to the compiler add up. */
    private static String name(Matcher option) {
        if (option.group("mode") != null) {
            return "mode";
        }
        return option.group("name") != null ? option.group("name") : option.group();
    }

    private static void addWords(List<String> options, String variable) {
        if (variable != null) {
            options.addAll(List.of(variable.strip().split("\\s+")));
        }
    }

    /**
     * Linux has the command line in a file. Elsewhere, and where arguments come from further files, the JVM is asked
     * for it through its management interface, which costs a start-up some thirty milliseconds.
     */
    private static List<String> commandLine() {
        List<String> arguments = readCommandLine();
        return arguments.isEmpty() || haveOthersElsewhere(arguments) ? askVm() : arguments;
    }

    private static boolean haveOthersElsewhere(List<String> arguments) {
        for (String argument : arguments) {
            if (argument.startsWith("@")
                    || argument.startsWith("-XX:Flags=")
                    || argument.startsWith("-XX:VMOptionsFile=")) {
                return true;
            }
        }
        return false;
    }

    private static List<String> readCommandLine() {
        try {
            byte[] line = BoundedFile.read(COMMAND_LINE, LONGEST_COMMAND_LINE);
            return List.of(new String(line, StandardCharsets.UTF_8).split("\0"));
        } catch (IOException absent) {
            return List.of();
        }
    }

    private static List<String> askVm() {
        return ModuleLayer.boot().findModule("java.management").isPresent()
                ? ManagementFactory.getRuntimeMXBean().getInputArguments()
                : List.of();
    }
}
