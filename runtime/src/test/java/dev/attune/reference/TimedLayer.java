package dev.attune.reference;

/** A specification whose variants differ in how long they take, and in what they do wrong. */
public interface TimedLayer {}
