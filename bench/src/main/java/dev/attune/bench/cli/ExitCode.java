package dev.attune.bench.cli;

/** What the process tells its caller; {@code attune --help} and {@code docs/cli.md} list the same. */
final class ExitCode {

    /** All was done. */
    static final int DONE = 0;

    /** Something failed; the message says what. */
    static final int FAILED = 1;

    /** An option, a setting or an input cannot be used; nothing was done. */
    static final int UNUSABLE = 2;

    /** Some measurements came to no conclusion in their time, and were not kept. */
    static final int INCONCLUSIVE = 3;

    private ExitCode() {}
}
