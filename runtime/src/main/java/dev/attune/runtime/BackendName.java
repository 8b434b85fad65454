package dev.attune.runtime;

import dev.attune.annotations.Backend;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What backends are called in messages and in the system property: {@code scalar}, {@code vector512}, and so on. */
final class BackendName {

    private BackendName() {}

    static String of(Backend backend) {
        return backend.name().replace("_", "").toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the backend of that name.
     *
     * @param source where the name was read, for the message
     * @throws IllegalArgumentException if there is none
     */
    static Backend parse(String name, String source) {
        for (Backend backend : Backend.values()) {
            if (of(backend).equals(name)) {
                return backend;
            }
        }
        String valid = Arrays.stream(Backend.values()).map(BackendName::of).collect(Collectors.joining(", "));
        throw new IllegalArgumentException(source + " = \"" + name + "\" is no backend; valid are " + valid);
    }
}
