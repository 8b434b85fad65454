package dev.attune.runtime;

import java.util.Locale;

/** What a caller can do with a cache, by the name it goes by in messages. */
enum Operation {
    PREFILL,
    APPEND,
    CLEAR,
    CLOSE,
    ATTEND,
    RECONSTRUCT;

    /** Returns whether the operation only reads, so that several may run at once. */
    boolean reads() {
        return this == ATTEND || this == RECONSTRUCT;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT) + "()";
    }
}
