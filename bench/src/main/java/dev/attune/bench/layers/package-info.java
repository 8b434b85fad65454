/** The layers that are measured: head dimension 128, 8 key-value heads, 1 or 4 query heads each. */
package dev.attune.bench.layers;
