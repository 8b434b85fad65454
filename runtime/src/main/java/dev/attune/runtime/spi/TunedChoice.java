package dev.attune.runtime.spi;

/**
 * A choice that was measured before the kernels were compiled, and came with them.
 *
 * @param processor the processor's model, as the operating system calls it
 * @param architecture its architecture and the width of its vectors, {@code amd64, 512-bit vectors}
 * @param contextTokens tokens of the cache, a power of two
 * @param threads threads at work
 * @param variant name of the fastest variant
 */
public record TunedChoice(String processor, String architecture, int contextTokens, int threads, String variant) {}
