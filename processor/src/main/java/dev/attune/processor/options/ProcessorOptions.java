package dev.attune.processor.options;

import dev.attune.annotations.Backend;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.diagnostics.Reporter;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The values of the processor's options.
 *
 * @param backends the backends that may be generated
 * @param verbose whether to say what was generated
 */
public record ProcessorOptions(Set<Backend> backends, boolean verbose) {

    /** Copies the set of backends. */
    public ProcessorOptions {
        backends = Set.copyOf(backends);
    }

    /**
     * Reads the options among those given to javac; the ones of other processors are passed over.
     *
     * @param given javac's {@code -A} options; the value is null for {@code -Akey}
     * @return the options, or nothing if one of them was reported as unknown or not understood
     */
    public static Optional<ProcessorOptions> parse(Map<String, String> given, Reporter reporter) {
        Set<Backend> backends = EnumSet.allOf(Backend.class);
        boolean verbose = false;
        boolean understood = true;
        // Sorted, so that the order of messages does not depend on the order of a hash map.
        for (Map.Entry<String, String> entry : new TreeMap<>(given).entrySet()) {
            if (!entry.getKey().startsWith(ProcessorOption.PREFIX)) {
                continue;
            }
            Optional<ProcessorOption> option = ProcessorOption.of(entry.getKey());
            if (option.isEmpty()) {
                reporter.report(
                        Message.OPTION_UNKNOWN.at(Position.NOWHERE, entry.getKey(), ProcessorOption.keys()));
                understood = false;
                continue;
            }
            String value = entry.getValue() == null ? "" : entry.getValue().strip();
            boolean valid = switch (option.get()) {
                case BACKENDS -> limit(backends, value);
                case VERBOSE -> {
                    verbose = value.equals("true");
                    yield verbose || value.equals("false");
                }
            };
            if (!valid) {
                reporter.report(Message.OPTION_INVALID.at(
                        Position.NOWHERE, entry.getKey(), value, option.get().accepted()));
                understood = false;
            }
        }
        return understood ? Optional.of(new ProcessorOptions(backends, verbose)) : Optional.empty();
    }

    /** Reduces a set of backends to those of a comma list; returns whether every name in it is a backend's. */
    private static boolean limit(Set<Backend> backends, String list) {
        Set<Backend> listed = EnumSet.noneOf(Backend.class);
        for (String name : Arrays.stream(list.split(",", -1)).map(String::strip).toList()) {
            Optional<Backend> backend = ProcessorOption.backend(name);
            if (backend.isEmpty()) {
                return false;
            }
            listed.add(backend.get());
        }
        backends.retainAll(listed);
        return true;
    }
}
