/** Benchmarks of the generated kernels; {@code docs/performance.md} says how to run them. */
package dev.attune.bench;
