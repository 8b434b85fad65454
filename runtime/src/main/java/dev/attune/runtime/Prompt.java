package dev.attune.runtime;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A prompt's keys and values, checked, on their way into a cache.
 *
 * @param keys {@code [keyValueHeads][tokens][headDim]}, float32
 * @param values {@code [keyValueHeads][tokens][headDim]}, float32
 * @param tokens number of tokens
 * @param headDim channels of a head
 */
record Prompt(MemorySegment keys, MemorySegment values, int tokens, int headDim) {

    private static final ValueLayout.OfFloat FLOAT32 = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** Copies consecutive tokens of one head into a workspace. */
    void copy(int head, int firstToken, int count, Workspace workspace) {
        long offset = ((long) head * tokens + firstToken) * headDim * Float.BYTES;
        MemorySegment.copy(keys, FLOAT32, offset, workspace.keys(), 0, count * headDim);
        MemorySegment.copy(values, FLOAT32, offset, workspace.values(), 0, count * headDim);
    }

    /** Returns whether other threads than the caller's can read it, too. */
    boolean isSharedBetweenThreads() {
        Thread anyOther = Thread.ofPlatform().unstarted(() -> {});
        return keys.isAccessibleBy(anyOther) && values.isAccessibleBy(anyOther);
    }
}
