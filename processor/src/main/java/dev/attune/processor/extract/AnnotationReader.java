package dev.attune.processor.extract;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.AnnotationValue;
import javax.lang.model.element.VariableElement;
import javax.lang.model.util.Elements;

/**
 * Reads attributes of one annotation, possibly nested in another. Every method throws
 * {@link UnreadableAnnotationException} if the attribute does not have the type asked for, as in code that does not
 * compile.
 */
final class AnnotationReader {

    private final Elements elements;
    private final String prefix;
    private final SourcePosition position;
    private final Map<String, AnnotationValue> values = new HashMap<>();
    private final Map<String, AnnotationValue> written = new HashMap<>();

    /** Reads an annotation on a declaration. */
    AnnotationReader(Elements elements, SourcePosition declaration, AnnotationMirror annotation) {
        this(elements, "", declaration.in(annotation), annotation, true);
    }

    private AnnotationReader(
            Elements elements,
            String prefix,
            SourcePosition position,
            AnnotationMirror annotation,
            boolean written) {
        this.elements = elements;
        this.prefix = prefix;
        this.position = position;
        elements.getElementValuesWithDefaults(annotation)
                .forEach((attribute, value) -> values.put(attribute.getSimpleName().toString(), value));
        if (written) {
            annotation.getElementValues()
                    .forEach((attribute, value) -> this.written.put(attribute.getSimpleName().toString(), value));
        }
    }

    /** Returns the position of the annotation. */
    SourcePosition position() {
        return position;
    }

    /** Reads an {@code int}, {@code double} or {@code boolean}. */
    <T> Attribute<T> primitive(String name, Class<T> boxed) {
        return attribute(name, cast(name, value(name), boxed));
    }

    /** Reads an enum constant. */
    <E extends Enum<E>> Attribute<E> constant(String name, Class<E> type) {
        return attribute(name, constantOf(name, value(name), type));
    }

    /** Reads an array of enum constants. */
    <E extends Enum<E>> Attribute<List<E>> constants(String name, Class<E> type) {
        if (!(value(name).getValue() instanceof List<?> items)) {
            throw new UnreadableAnnotationException(prefix + name);
        }
        List<E> constants = items.stream()
                .map(item -> constantOf(name, (AnnotationValue) item, type))
                .toList();
        return attribute(name, constants);
    }

    /** Returns a reader of a nested annotation, whose attributes are called {@code name.attribute}. */
    AnnotationReader nested(String name) {
        AnnotationMirror annotation = cast(name, value(name), AnnotationMirror.class);
        return new AnnotationReader(
                elements, prefix + name + ".", positionOf(name), annotation, written.containsKey(name));
    }

    private <T> Attribute<T> attribute(String name, T value) {
        return new Attribute<>(prefix + name, value, written.containsKey(name), positionOf(name));
    }

    private SourcePosition positionOf(String name) {
        return written.containsKey(name) ? position.in(written.get(name)) : position;
    }

    private AnnotationValue value(String name) {
        AnnotationValue value = values.get(name);
        if (value == null) {
            throw new UnreadableAnnotationException(prefix + name);
        }
        return value;
    }

    private <T> T cast(String name, AnnotationValue value, Class<T> type) {
        if (!type.isInstance(value.getValue())) {
            throw new UnreadableAnnotationException(prefix + name);
        }
        return type.cast(value.getValue());
    }

    private <E extends Enum<E>> E constantOf(String name, AnnotationValue value, Class<E> type) {
        String constant = cast(name, value, VariableElement.class).getSimpleName().toString();
        for (E candidate : type.getEnumConstants()) {
            if (candidate.name().equals(constant)) {
                return candidate;
            }
        }
        throw new UnreadableAnnotationException(prefix + name);
    }
}
