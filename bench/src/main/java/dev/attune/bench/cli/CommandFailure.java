package dev.attune.bench.cli;

/** A command could not do what it was asked, with nothing wrong in the asking. The message is one line for the user. */
final class CommandFailure extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** Creates a failure with a message that says what can be done about it. */
    CommandFailure(String message) {
        super(message);
    }

    /** Creates a failure with a message that says what can be done about it, and what caused it. */
    CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
