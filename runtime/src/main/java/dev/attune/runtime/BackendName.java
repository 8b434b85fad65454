package dev.attune.runtime;

import dev.attune.annotations.Backend;
import java.util.Arrays;
import java.util.Locale;

/** What backends are called in messages and in settings: {@code scalar}, {@code vector512}, and so on. */
final class BackendName {

    private BackendName() {}

    static String of(Backend backend) {
        return backend.name().replace("_", "").toLowerCase(Locale.ROOT);
    }

    /** Returns whether a backend has that name. */
    static boolean isOne(String name) {
        return Arrays.stream(Backend.values()).anyMatch(backend -> of(backend).equals(name));
    }
}
