package dev.attune.processor.model;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What was measured of a specification's kernels before this compilation.
 *
 * @param choices the variants that were the fastest, each somewhere; the more fitting first
 * @param winnersOnly whether variants that were nowhere the fastest are left out; without choices nothing is
 */
public record Tuning(List<Choice> choices, boolean winnersOnly) {

    /** Nothing was measured. */
    public static final Tuning NONE = new Tuning(List.of(), false);

    /** Copies the list of choices. */
    public Tuning {
        choices = List.copyOf(choices);
    }

    /**
     * The fastest variant under one set of circumstances.
     *
     * @param profile the name, without a folder, of the file that says so
     * @param machine where it was measured
     * @param contextTokens tokens of the cache, a power of two
     * @param threads threads at work
     * @param variant the fastest variant
     * @param nanos its time per token and key-value head
     * @param defaultVariant the variant that would have been used without measurements
     * @param defaultNanos the time of that one, if known
     */
    public record Choice(
            String profile,
            Machine machine,
            int contextTokens,
            int threads,
            String variant,
            double nanos,
            String defaultVariant,
            OptionalDouble defaultNanos) {}

    /**
     * A kind of machine.
     *
     * @param processor the model of its processor
     * @param architecture the processor's architecture and the width of its vectors, {@code amd64, 512-bit vectors}
     */
    public record Machine(String processor, String architecture) {

        @Override
        public String toString() {
            return processor + " (" + architecture + ")";
        }
    }

    /** Returns how often a variant was chosen. */
    public long wins(String variant) {
        return choices.stream().filter(choice -> choice.variant().equals(variant)).count();
    }

    /** Returns whether a variant has to be generated, as far as its own speed is concerned. */
    public boolean keeps(String variant) {
        return !winnersOnly || choices.isEmpty() || wins(variant) > 0;
    }
}
