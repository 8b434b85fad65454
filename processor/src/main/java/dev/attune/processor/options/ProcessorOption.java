package dev.attune.processor.options;

import dev.attune.annotations.Backend;
import dev.attune.processor.plan.KernelPlan;
import java.io.File;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** An option of the processor, passed to javac as {@code -Akey=value}. */
public enum ProcessorOption {

    /** Limits the backends generated for every specification; the scalar one is generated in any case. */
    BACKENDS("attune.backends",
            "a comma-separated list of " + Arrays.stream(Backend.values())
                    .map(ProcessorOption::nameOf).collect(Collectors.joining(", "))),

    /** Files of measurements, which decide what is generated and used. */
    PROFILE("attune.profile",
            "files that 'attune tune ... --export' wrote, separated by '" + File.pathSeparator + "'"),

    /** Whether a specification in the profiles gets only the variants that they choose. */
    PROFILE_ONLY("attune.profile.only", "true, false"),

    /** How many variants are planned for every specification. */
    VARIANTS("attune.variants",
            Arrays.stream(KernelPlan.Variants.values()).map(ProcessorOption::nameOf).collect(Collectors.joining(", "))),

    /** Whether a note per specification says what was generated. */
    VERBOSE("attune.verbose", "true, false");

    /** What the keys of all options begin with. */
    public static final String PREFIX = "attune.";

    private final String key;
    private final String accepted;

    ProcessorOption(String key, String accepted) {
        this.key = key;
        this.accepted = accepted;
    }

    /** Returns the name after {@code -A}. */
    public String key() {
        return key;
    }

    /** Returns the values it takes, in words. */
    public String accepted() {
        return accepted;
    }

    /** Returns the keys of all options, for a message. */
    static String keys() {
        return Arrays.stream(values()).map(option -> "-A" + option.key).collect(Collectors.joining(", "));
    }

    /** Returns the option of a key. */
    static Optional<ProcessorOption> of(String key) {
        return Arrays.stream(values()).filter(option -> option.key.equals(key)).findFirst();
    }

    /** Returns the backend an option calls {@code name}. */
    static Optional<Backend> backend(String name) {
        return Arrays.stream(Backend.values()).filter(backend -> nameOf(backend).equals(name)).findFirst();
    }

    /** Returns how many variants an option's value means. */
    static Optional<KernelPlan.Variants> variants(String name) {
        return Arrays.stream(KernelPlan.Variants.values()).filter(choice -> nameOf(choice).equals(name)).findFirst();
    }

    /** {@code VECTOR_512} is written {@code vector512}. */
    private static String nameOf(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace("_", "");
    }
}
