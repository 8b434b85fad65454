/** The layers that are measured, and what they have in common. */
package dev.attune.bench.layers;
