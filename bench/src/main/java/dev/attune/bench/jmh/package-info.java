/** JMH benchmarks of single operations, for its profilers; what is compared is measured by {@code attune bench}. */
package dev.attune.bench.jmh;
