package dev.attune.processor.diagnostics;

/** Receives what the stages find. */
@FunctionalInterface
public interface Reporter {

    /** Drops every finding: for a second reader of specifications whose findings are already reported. */
    Reporter SILENT = finding -> {};

    /** Takes note of a finding. */
    void report(Finding finding);
}
