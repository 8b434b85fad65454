package dev.attune.runtime.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What model the processor is, found without running a program. */
final class ProcessorModel {

    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

    /** The paragraph of one processor has some two thousand bytes. */
    private static final int FIRST_PROCESSOR = 16 << 10;

    private ProcessorModel() {}

    /** Linux has a file about it and Windows a variable; elsewhere its architecture must do. */
    static String ofThisMachine() {
        String model = describe(readProcessors());
        if (model.isEmpty()) {
            String variable = System.getenv("PROCESSOR_IDENTIFIER");
            return variable == null ? System.getProperty("os.arch") : variable;
        }
        return model;
    }

    /** The file has a paragraph for each processor: on large machines most of it is not worth reading. */
    private static String readProcessors() {
        try (InputStream stream = Files.newInputStream(PROCESSORS)) {
            return new String(stream.readNBytes(FIRST_PROCESSOR), StandardCharsets.UTF_8);
        } catch (IOException absent) {
            return "";
        }
    }

    /**
     * Returns the first processor of such a file: {@code AMD EPYC, family 26, model 2}. Under virtual machines the name
     * alone stands for many years' processors. Processors of Arm have numbers instead of names. Empty if it says
     * neither.
     */
    static String describe(String processors) {
        StringBuilder model = new StringBuilder();
        append(model, "", value(processors, "model name"));
        append(model, "family ", value(processors, "cpu family"));
        append(model, "model ", value(processors, "model"));
        append(model, "implementer ", value(processors, "CPU implementer"));
        append(model, "part ", value(processors, "CPU part"));
        append(model, "variant ", value(processors, "CPU variant"));
        return model.toString();
    }

    private static void append(StringBuilder model, String label, String value) {
        if (!value.isEmpty()) {
            model.append(model.isEmpty() ? "" : ", ").append(label).append(value);
        }
    }

    /** Returns what follows the colon of the first line of that name; empty if there is none. */
    private static String value(String processors, String name) {
        for (String line : processors.split("\n")) {
            int colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).strip().equals(name)) {
                return line.substring(colon + 1).strip();
            }
        }
        return "";
    }
}
