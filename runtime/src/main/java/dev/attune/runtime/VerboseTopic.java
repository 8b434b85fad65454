package dev.attune.runtime;

import dev.attune.runtime.settings.Setting;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/**
 * What {@code -Dattune.verbose=select,tune,run}, or the environment variable {@code ATTUNE_VERBOSE}, lets the runtime
 * print on the standard error stream: one line each, of fields with tabs between them, after one line that names the
 * fields. The format is stable; fields may be added at the end of a line.
 */
enum VerboseTopic {

    /** One line for each variant whenever kernels are chosen. */
    SELECT("specification", "threads", "variant", "verdict", "reason"),

    /** One line for each variant that is measured. */
    TUNE("specification", "threads", "contextTokens", "variant", "verdict", "nanosPerTokenHead", "reason"),

    /** One line for each decode step. */
    RUN("specification", "threads", "tokens", "variant", "micros");

    /** Read when it is first needed, so that a mistaken setting is reported by {@link #requireValid}. */
    private static final class Enabled {
        private static final Set<VerboseTopic> TOPICS = ofProcess();
    }

    private final List<String> fields;
    private boolean headed;

    VerboseTopic(String... fields) {
        this.fields = List.of(fields);
    }

    /**
     * Reads the setting.
     *
     * @throws IllegalArgumentException if it names something else than topics
     */
    static void requireValid() {
        ofProcess();
    }

    private static Set<VerboseTopic> ofProcess() {
        return parse(Setting.ofProcess("attune.verbose"));
    }

    /**
     * Returns the topics a setting names.
     *
     * @throws IllegalArgumentException if it names another
     */
    static Set<VerboseTopic> parse(Setting setting) {
        Set<VerboseTopic> topics = EnumSet.noneOf(VerboseTopic.class);
        for (String name : setting.list()) {
            topics.add(Arrays.stream(values())
                    .filter(topic -> topic.label().equals(name))
                    .findFirst()
                    .orElseThrow(() -> setting.invalid(
                            Arrays.stream(values()).map(VerboseTopic::label).collect(Collectors.joining(", "))
                                    + ", or several with commas between them")));
        }
        return topics;
    }

    boolean enabled() {
        return Enabled.TOPICS.contains(this);
    }

    /** Prints a line, after the line of names if it is the first. */
    void print(Object... values) {
        print(System.err, values);
    }

    /** Prints to any stream. One thread at a time, so that no line comes before that of names. */
    synchronized void print(PrintStream stream, Object... values) {
        if (values.length != fields.size()) {
            throw new IllegalArgumentException(values.length + " values for the fields " + fields);
        }
        if (!headed) {
            headed = true;
            stream.println(line(fields.toArray()));
        }
        stream.println(line(values));
    }

    private String line(Object... values) {
        StringJoiner line = new StringJoiner("\t").add("attune-" + label());
        for (Object value : values) {
            line.add(String.valueOf(value).replaceAll("\\s+", " "));
        }
        return line.toString();
    }

    private String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
