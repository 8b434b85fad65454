package dev.attune.runtime.tuning;

import java.util.List;
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

    /** Letters of a name that are taken into the name of a file. */
    private static final int READABLE = 40;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public TuningKey {
        Objects.requireNonNull(specification, "specification is null");
        Objects.requireNonNull(specificationHash, "specificationHash is null");
        Objects.requireNonNull(sourcesHash, "sourcesHash is null");
        Objects.requireNonNull(operation, "operation is null");
        Objects.requireNonNull(policy, "policy is null");
        requirePositive(contextTokens, "contextTokens");
        requirePositive(groupSize, "groupSize");
        requirePositive(threads, "threads");
    }

    private static void requirePositive(int number, String name) {
        if (number < 1) {
            throw new IllegalArgumentException(name + " = " + number + " is not positive");
        }
    }

    /** Returns the context length that stands for so many tokens: the largest power of two in them, within limits. */
    public static int bucket(int tokens) {
        return Math.clamp(Integer.highestOneBit(Math.max(tokens, 1)), SHORTEST_CONTEXT, LONGEST_CONTEXT);
    }

    /** Returns the name of the record's file: readable, safe on every file system, and the same in every version. */
    String fileName() {
        String simpleName = specification.substring(specification.lastIndexOf('.') + 1);
        String context = Integer.toString(contextTokens);
        String threadCount = Integer.toString(threads);
        String digits = Digits.of(List.of(
                specification,
                specificationHash,
                sourcesHash,
                operation,
                context,
                Integer.toString(groupSize),
                threadCount,
                policy));
        return String.join("-", readable(simpleName), readable(operation), context, threadCount, digits) + ".json";
    }

    private static String readable(String name) {
        StringBuilder letters = new StringBuilder();
        for (int i = 0; i < Math.min(name.length(), READABLE); i++) {
            char letter = name.charAt(i);
            letters.append(letter < 128 && Character.isLetterOrDigit(letter) ? letter : '_');
        }
        return letters.toString();
    }
}
