/** Timing that is fair on a busy machine: rounds in which everything that is compared takes its turn. */
package dev.attune.bench.measure;
