package dev.attune.processor.profile;

/** A file is no profile. */
final class InvalidProfileException extends Exception {

    private static final long serialVersionUID = 1;

    private final int line;
    private final int column;

    /**
     * Creates an exception about a place in the file.
     *
     * @param line its line, counted from 1
     * @param column its column, counted from 1
     */
    InvalidProfileException(int line, int column, String message) {
        super(message);
        this.line = line;
        this.column = column;
    }

    int line() {
        return line;
    }

    int column() {
        return column;
    }
}
