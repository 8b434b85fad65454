package dev.attune.runtime.tuning;

/** Text is not the JSON that was expected; the message says where and what. */
final class JsonException extends Exception {

    private static final long serialVersionUID = 1;

    JsonException(String message) {
        super(message);
    }
}
