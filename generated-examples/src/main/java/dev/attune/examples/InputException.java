package dev.attune.examples;

/** Something the user gave is unusable. The message names the value, the limit and the way out, in one line. */
public final class InputException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** Creates an exception with a message for the user. */
    public InputException(String message) {
        super(message);
    }

    /** Creates an exception with a message for the user and what caused it. */
    public InputException(String message, Throwable cause) {
        super(message, cause);
    }
}
