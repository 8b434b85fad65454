/** The command line {@code attune}. */
package dev.attune.bench.cli;
