package dev.attune.runtime;

import dev.attune.annotations.Backend;

/**
 * One step of the choice of a backend.
 *
 * @param backend the backend considered
 * @param chosen whether it is the one in use
 * @param reason why, or why not, in words for a reader
 */
public record Rung(Backend backend, boolean chosen, String reason) {

    /** Returns for example {@code vector512: wider than the 256 bits this machine prefers}. */
    @Override
    public String toString() {
        return BackendName.of(backend) + ": " + reason;
    }
}
