package dev.attune.processor.extract;

import dev.attune.processor.diagnostics.Position;
import java.util.Optional;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.AnnotationValue;
import javax.lang.model.element.Element;

/**
 * A declaration, an annotation on it, or a value written in that annotation.
 *
 * @param element the declaration
 * @param annotation the annotation, if the position is that precise
 * @param value the value, if the position is that precise
 */
public record SourcePosition(Element element, Optional<AnnotationMirror> annotation, Optional<AnnotationValue> value)
        implements Position {

    /** Returns the position of a declaration. */
    static SourcePosition of(Element element) {
        return new SourcePosition(element, Optional.empty(), Optional.empty());
    }

    /** Returns the position of an annotation on the same declaration. */
    SourcePosition in(AnnotationMirror annotation) {
        return new SourcePosition(element, Optional.of(annotation), Optional.empty());
    }

    /** Returns the position of a value written in the same annotation. */
    SourcePosition in(AnnotationValue value) {
        return new SourcePosition(element, annotation, Optional.of(value));
    }
}
