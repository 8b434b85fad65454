package dev.attune.runtime;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A setting of the process, by a system property or, where that is not set, by an environment variable.
 *
 * @param value null if neither is set
 * @param source which of them, for a message
 */
record Setting(String value, String source) {

    /** Where settings are found by their property's name. */
    @FunctionalInterface
    interface Source {
        Setting find(String property);
    }

    /** Looks up {@code attune.store.mode} there and {@code ATTUNE_STORE_MODE} here. */
    static Setting ofProcess(String property) {
        String variable = property.replace('.', '_').toUpperCase(Locale.ROOT);
        return of(property, System.getProperty(property), variable, System.getenv(variable));
    }

    static Setting of(String property, String propertyValue, String variable, String variableValue) {
        if (propertyValue != null) {
            return new Setting(propertyValue.strip(), "the system property " + property);
        }
        return new Setting(
                variableValue == null ? null : variableValue.strip(), "the environment variable " + variable);
    }

    boolean isSet() {
        return value != null;
    }

    /** Returns the parts between commas, none if it is not set or empty. */
    List<String> list() {
        return value == null
                ? List.of()
                : Arrays.stream(value.split(",")).map(String::strip).filter(part -> !part.isEmpty()).toList();
    }

    /**
     * Returns whether it says {@code true}; not if it is not set.
     *
     * @throws IllegalArgumentException if it says something else than {@code true} or {@code false}
     */
    boolean flag() {
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
    <E extends Enum<E>> E oneOf(E[] constants, E ifNotSet) {
        if (value == null) {
            return ifNotSet;
        }
        return Arrays.stream(constants)
                .filter(constant -> lowerCase(constant).equals(value))
                .findFirst()
                .orElseThrow(() ->
                        invalid(Arrays.stream(constants).map(Setting::lowerCase).collect(Collectors.joining(", "))));
    }

    IllegalArgumentException invalid(String valid) {
        return new IllegalArgumentException(source + " = \"" + value + "\" is not valid; valid are " + valid);
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
