package dev.attune.processor.diagnostics;

/** What a message does to the compilation. */
public enum Severity {

    /** The compilation fails, and nothing is generated for the specification concerned. */
    ERROR,

    /** Information only. */
    NOTE
}
