/** The operations that are measured, each ready to be repeated. */
package dev.attune.bench.workload;
