package dev.attune.runtime.settings;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A setting of the process, by a system property or, where that is not set, by an environment variable.
 *
 * @param value null if neither is set
 * @param source which of them, for a message
 */
public record Setting(String value, String source) {

    private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,8})(ms|s|m|h)");

    /** Where settings are found by their property's name. */
    @FunctionalInterface
    public interface Source {
        /** Returns the setting of a property. */
        Setting find(String property);
    }

    /** Looks up {@code attune.store.mode} there and {@code ATTUNE_STORE_MODE} here. */
    public static Setting ofProcess(String property) {
        String variable = property.replace('.', '_').toUpperCase(Locale.ROOT);
        return of(property, System.getProperty(property), variable, System.getenv(variable));
    }

    /** Returns the property's value if it is not null, else the variable's. */
    public static Setting of(String property, String propertyValue, String variable, String variableValue) {
        if (propertyValue != null) {
            return new Setting(propertyValue.strip(), "the system property " + property);
        }
        return new Setting(
                variableValue == null ? null : variableValue.strip(), "the environment variable " + variable);
    }

    /** Returns whether it has a value. */
    public boolean isSet() {
        return value != null;
    }

    /** Returns the parts between commas, none if it is not set or empty. */
    public List<String> list() {
        return value == null
                ? List.of()
                : Arrays.stream(value.split(",")).map(String::strip).filter(part -> !part.isEmpty()).toList();
    }

    /**
     * Returns whether it says {@code true}; not if it is not set.
     *
     * @throws IllegalArgumentException if it says something else than {@code true} or {@code false}
     */
    public boolean flag() {
        if (value == null || value.equals("false")) {
            return false;
        }
        if (value.equals("true")) {
            return true;
        }
        throw invalid("true, false");
    }

    /**
     * Returns the constant it names in lower case.
     *
     * @throws IllegalArgumentException if it names none
     */
    public <E extends Enum<E>> E oneOf(E[] constants, E ifNotSet) {
        if (value == null) {
            return ifNotSet;
        }
        return Arrays.stream(constants)
                .filter(constant -> lowerCase(constant).equals(value))
                .findFirst()
                .orElseThrow(() ->
                        invalid(Arrays.stream(constants).map(Setting::lowerCase).collect(Collectors.joining(", "))));
    }

    /**
     * Returns the duration it says: a number followed by {@code ms}, {@code s}, {@code m} or {@code h}.
     *
     * @throws IllegalArgumentException if it says something else, or none that is positive
     */
    public Duration duration(Duration ifNotSet) {
        if (value == null) {
            return ifNotSet;
        }
        Matcher matcher = DURATION.matcher(value);
        if (!matcher.matches()) {
            throw invalid("durations like 500ms, 30s, 2m, 1h");
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    /** Returns the exception for a value that is not among the valid ones. */
    public IllegalArgumentException invalid(String valid) {
        return new IllegalArgumentException(source + " = \"" + value + "\" is not valid; valid are " + valid);
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
