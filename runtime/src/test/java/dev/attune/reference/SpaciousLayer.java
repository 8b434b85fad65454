package dev.attune.reference;

/** A specification with more variants than are all compared. */
public interface SpaciousLayer {}
