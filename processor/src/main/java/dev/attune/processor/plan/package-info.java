/** Decides everything the generated text depends on: the bytes of a tile, and how each backend walks them. */
package dev.attune.processor.plan;
