package dev.attune.runtime;

import dev.attune.annotations.Backend;

/**
 * One step of the choice of kernels.
 *
 * @param variant name of the variant considered; a backend's name if it was not generated
 * @param backend its backend
 * @param supported whether nothing speaks against using it here, as far as it was looked into
 * @param chosen whether it is the one in use
 * @param reason why, or why not, in words for a reader
 */
public record Rung(String variant, Backend backend, boolean supported, boolean chosen, String reason) {

    /** Returns for example {@code vector512: wider than the 256 bits this machine prefers}. */
    @Override
    public String toString() {
        return variant + ": " + reason;
    }
}
