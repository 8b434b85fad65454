package dev.attune.annotations;

/** What is subtracted from the scaled keys before channels are selected, and restored with the scores. */
public enum Centering {

    /** The channel's mean over its tile of 64 consecutive tokens (2 bytes per channel and tile, at bfloat16). */
    TILE,

    /** Nothing: the method as published. */
    NONE
}
