package dev.attune.processor.diagnostics;

/**
 * A place in the source that a finding is about. Only the stage that extracted it and the adapter that reports it
 * know what is inside.
 */
public interface Position {

    /** The position of what is written in no source file: options and resources. */
    Position NOWHERE = new Position() {};
}
