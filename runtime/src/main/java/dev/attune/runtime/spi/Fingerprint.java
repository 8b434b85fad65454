package dev.attune.runtime.spi;

/**
 * Tells whether something was measured with the same specification and the same kernels; 16 hexadecimal digits each.
 *
 * @param specification digits of the specification's numbers
 * @param sources digits of the text of all its kernels
 */
public record Fingerprint(String specification, String sources) {}
