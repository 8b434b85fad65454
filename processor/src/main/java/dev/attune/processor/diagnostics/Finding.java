package dev.attune.processor.diagnostics;

/**
 * A message about one place in the source.
 *
 * @param message which message
 * @param position what it is about
 * @param text its printed form, placeholders filled in
 */
public record Finding(Message message, Position position, String text) {}
