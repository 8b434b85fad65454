package dev.attune.processor.profile;

import dev.attune.processor.model.SourceFingerprint;
import dev.attune.processor.model.Tuning;
import java.time.Instant;
import java.util.OptionalDouble;

/**
 * One record of a profile: which variant was the fastest under one set of circumstances.
 *
 * @param machine where it was measured
 * @param attuneVersion the version of Attune that measured it
 * @param specification the name of the specification, as written in the source or as the JVM calls it
 * @param fingerprint of which kernels it was measured
 * @param contextTokens tokens of the cache, a power of two
 * @param threads threads at work
 * @param measuredAt when
 * @param variant the fastest variant
 * @param nanos its time per token and key-value head
 * @param defaultVariant the variant that is used without measurements
 * @param defaultNanos the time of that one, if the profile has it
 */
record Measurement(
        Tuning.Machine machine,
        String attuneVersion,
        String specification,
        SourceFingerprint fingerprint,
        int contextTokens,
        int threads,
        Instant measuredAt,
        String variant,
        double nanos,
        String defaultVariant,
        OptionalDouble defaultNanos) {

    /** Returns whether this was measured under the same circumstances as another, whenever and by whichever JVM. */
    boolean answersTheSameAs(Measurement other) {
        return machine.equals(other.machine)
                && contextTokens == other.contextTokens
                && threads == other.threads;
    }

    /** Returns the choice that follows. */
    Tuning.Choice choice(String profile) {
        return new Tuning.Choice(
                profile, machine, contextTokens, threads, variant, nanos, defaultVariant, defaultNanos);
    }
}
