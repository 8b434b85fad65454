package dev.attune.runtime.tuning;

/** Says that a contest cannot go on, with nothing found out about its contestants: the process of some ended, say. */
public final class ContestAbortedException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    /** Says what happened. */
    public ContestAbortedException(String message, Throwable cause) {
        super(message, cause);
    }
}
