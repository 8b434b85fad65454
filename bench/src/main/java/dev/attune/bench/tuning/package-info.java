/** What the tuning commands work on: the specifications of a class path, and measurements as text and pictures. */
package dev.attune.bench.tuning;
