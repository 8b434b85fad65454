package dev.attune.runtime;

import dev.attune.annotations.Backend;
import java.util.Optional;

/**
 * A backend somebody insists on.
 *
 * @param backend the backend
 * @param source who insists, in words that follow "forced by"
 */
record ForcedBackend(Backend backend, String source) {

    /** The system property that forces a backend. */
    static final String PROPERTY = "attune.backend";

    /** Returns a backend forced by a caller. */
    static ForcedBackend byArgument(Backend backend) {
        return new ForcedBackend(backend, "the argument of Attune.kernels");
    }

    /**
     * Returns the backend the system property names, if it is set.
     *
     * @throws IllegalArgumentException if it names none
     */
    static Optional<ForcedBackend> byProperty() {
        String source = "the system property " + PROPERTY;
        return Optional.ofNullable(System.getProperty(PROPERTY))
                .map(name -> new ForcedBackend(BackendName.parse(name, source), source));
    }
}
