package dev.attune.runtime.tuning;

import java.util.Objects;

/**
 * What was measured. Records under equal keys answer the same question, on one machine.
 *
 * @param specification qualified name of the annotated interface
 * @param specificationHash digits of its numbers
 * @param sourcesHash digits of the text of all its kernels
 * @param operation what was timed: {@code attend}, a decode step
 * @param contextTokens tokens of the cache, a power of two
 * @param groupSize query heads that share a key-value head
 * @param threads threads at work
 * @param policy how it was timed; records of another way are not compared
 */
public record TuningKey(
        String specification,
        String specificationHash,
        String sourcesHash,
        String operation,
        int contextTokens,
        int groupSize,
        int threads,
        String policy) {

    /** The shortest context that is told from shorter ones. */
    public static final int SHORTEST_CONTEXT = 1024;

    /** The longest context that is told from longer ones. */
    public static final int LONGEST_CONTEXT = 1 << 20;

    /** Refuses nulls. */
    public TuningKey {
        Objects.requireNonNull(specification, "specification is null");
        Objects.requireNonNull(specificationHash, "specificationHash is null");
        Objects.requireNonNull(sourcesHash, "sourcesHash is null");
        Objects.requireNonNull(operation, "operation is null");
        Objects.requireNonNull(policy, "policy is null");
    }

    /** Returns the context length that stands for a cache of so many tokens: the power of two below it, within limits. */
    public static int bucket(int tokens) {
        return Math.clamp(Integer.highestOneBit(Math.max(tokens, 1)), SHORTEST_CONTEXT, LONGEST_CONTEXT);
    }

    /** Returns the name of the record's file: readable, and safe on every file system. */
    String fileName() {
        String simpleName = specification.substring(specification.lastIndexOf('.') + 1);
        String readable = simpleName.replaceAll("[^A-Za-z0-9_]", "_");
        return readable.substring(0, Math.min(readable.length(), 40)) + "-" + operation.replaceAll("[^A-Za-z0-9_]", "_")
                + "-" + contextTokens + "-" + threads + "-" + Digits.of(toString()) + ".json";
    }
}
