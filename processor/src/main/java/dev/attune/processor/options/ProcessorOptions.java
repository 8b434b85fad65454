package dev.attune.processor.options;

import dev.attune.annotations.Backend;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.plan.KernelPlan;
import java.io.File;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The values of the processor's options.
 *
 * @param backends the backends that may be generated
 * @param profiles the files of measurements, the more important first
 * @param winnersOnly whether a specification in the profiles gets only the variants that they choose
 * @param variants how many variants are planned
 * @param verbose whether to say what was generated
 */
public record ProcessorOptions(
        Set<Backend> backends,
        List<Path> profiles,
        boolean winnersOnly,
        KernelPlan.Variants variants,
        boolean verbose) {

    /** Copies the collections. */
    public ProcessorOptions {
        backends = Set.copyOf(backends);
        profiles = List.copyOf(profiles);
    }

    /**
     * Reads the options among those given to javac; the ones of other processors are passed over.
     *
     * @param given javac's {@code -A} options; the value is null for {@code -Akey}
     * @return the options, or nothing if one of them was reported as unknown or not understood
     */
    public static Optional<ProcessorOptions> parse(Map<String, String> given, Reporter reporter) {
        Set<Backend> backends = EnumSet.allOf(Backend.class);
        List<Path> profiles = new ArrayList<>();
        boolean winnersOnly = false;
        KernelPlan.Variants variants = KernelPlan.Variants.USUAL;
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
                case PROFILE -> addPaths(profiles, value);
                case PROFILE_ONLY -> {
                    winnersOnly = value.equals("true");
                    yield winnersOnly || value.equals("false");
                }
                case VARIANTS -> {
                    Optional<KernelPlan.Variants> choice = ProcessorOption.variants(value);
                    variants = choice.orElse(variants);
                    yield choice.isPresent();
                }
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
        if (winnersOnly && !given.containsKey(ProcessorOption.PROFILE.key())) {
            reporter.report(Message.OPTION_NEEDS_ANOTHER.at(
                    Position.NOWHERE, ProcessorOption.PROFILE_ONLY.key(), ProcessorOption.PROFILE.key()));
            understood = false;
        }
        return understood
                ? Optional.of(new ProcessorOptions(backends, profiles, winnersOnly, variants, verbose))
                : Optional.empty();
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

    /** Adds the files of a list; returns whether every name in it can be a file's. */
    private static boolean addPaths(List<Path> paths, String list) {
        for (String name : list.split(Pattern.quote(File.pathSeparator), -1)) {
            if (name.isBlank()) {
                return false;
            }
            try {
                paths.add(Path.of(name.strip()));
            } catch (InvalidPathException noName) {
                return false;
            }
        }
        return true;
    }
}
