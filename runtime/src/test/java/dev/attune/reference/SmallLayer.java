package dev.attune.reference;

/** A specification whose kernels are written by hand. */
public interface SmallLayer {}
