package dev.attune.processor.extract;

import dev.attune.processor.diagnostics.Position;

/**
 * An annotation attribute of a specification.
 *
 * @param name its name as seen from the specification, such as {@code headDim} or {@code keys.ratio}
 * @param value its value, written or default
 * @param written whether the source writes it
 * @param position where it is written; for a default, the innermost annotation around it that is written
 */
public record Attribute<T>(String name, T value, boolean written, Position position) {}
