package dev.attune.processor.model;

/**
 * One generated class.
 *
 * @param className its qualified name
 * @param text its source
 */
public record GeneratedSource(String className, String text) {}
