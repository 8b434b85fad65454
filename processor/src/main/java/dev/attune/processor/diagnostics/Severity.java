package dev.attune.processor.diagnostics;

/** What a message does to the compilation. */
public enum Severity {

    /** The compilation fails, and nothing is generated for the specification concerned. */
    ERROR,

    /**
     * The compilation goes on without what the message is about; javac's {@code -Werror} makes it fail, and {@code
     * -nowarn} silences it.
     */
    WARNING,

    /** Information only. */
    NOTE
}
