package dev.attune.processor.emit.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Map;

/**
 * OpenCL C whose conditional sections are decided when it is written: lines {@code #if}, {@code #else} and
 * {@code #endif} go, and with them what they exclude. A condition is a conjunction of {@code NAME}, {@code !NAME} and
 * {@code NAME == 2}.
 */
final class Template {

    private Template() {}

    /** Returns a resource beside this class, folded. */
    static String folded(String resource, Map<String, Integer> conditions) {
        try (InputStream stream = Template.class.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new IllegalStateException(resource + " is missing from the processor's jar");
            }
            return fold(new String(stream.readAllBytes(), StandardCharsets.UTF_8), conditions);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String fold(String template, Map<String, Integer> conditions) {
        StringBuilder text = new StringBuilder();
        Deque<Boolean> included = new ArrayDeque<>();
        template.lines().forEach(line -> {
            if (line.startsWith("#if ")) {
                included.push(holds(line.substring(4), conditions));
            } else if (line.equals("#else")) {
                included.push(!included.pop());
            } else if (line.equals("#endif")) {
                included.pop();
            } else if (!included.contains(false)) {
                text.append(line).append('\n');
            }
        });
        return text.toString();
    }

    private static boolean holds(String condition, Map<String, Integer> conditions) {
        return Arrays.stream(condition.split("&&")).map(String::strip).allMatch(term -> {
            String[] comparison = term.split(" == ");
            if (comparison.length == 2) {
                return value(comparison[0], conditions) == Integer.parseInt(comparison[1]);
            }
            return term.startsWith("!") ? value(term.substring(1), conditions) == 0 : value(term, conditions) != 0;
        });
    }

    private static int value(String name, Map<String, Integer> conditions) {
        Integer value = conditions.get(name);
        if (value == null) {
            throw new IllegalStateException("no value for the condition " + name);
        }
        return value;
    }
}
