package dev.attune.processor.extract;

/** An annotation that does not compile; javac says why, so nobody else has to. */
final class UnreadableAnnotationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnreadableAnnotationException(String attribute) {
        super(attribute);
    }
}
