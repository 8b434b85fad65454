package dev.attune.bench.tuning;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.ChannelPruning;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.util.List;
import java.util.Optional;

/**
 * What a specification prunes. Read from its class file: the annotation is not kept at run time.
 *
 * @param keys fraction of a token's key channels, 0 to 1
 * @param values fraction of a channel's values, 0 to 1
 */
public record PrunedShares(double keys, double values) {

    /**
     * Reads what the annotation on an interface says.
     *
     * @throws IllegalArgumentException if it has none
     */
    public static PrunedShares of(Class<?> specification) {
        String file = specification.getName().substring(specification.getPackageName().length() + 1) + ".class";
        try (InputStream stream = specification.getResourceAsStream(file)) {
            if (stream == null) {
                throw new IllegalArgumentException("the class file of " + specification.getName() + " is not found");
            }
            List<Annotation> annotations = ClassFile.of()
                    .parse(stream.readAllBytes())
                    .findAttribute(Attributes.runtimeInvisibleAnnotations())
                    .orElseThrow(() -> notSpecified(specification))
                    .annotations();
            Annotation spec = annotations.stream()
                    .filter(each -> each.classSymbol().equals(AttentionSpec.class.describeConstable().orElseThrow()))
                    .findFirst()
                    .orElseThrow(() -> notSpecified(specification));
            return new PrunedShares(ratio(spec, "keys"), ratio(spec, "values"));
        } catch (IOException e) {
            throw new UncheckedIOException("the class file of " + specification.getName(), e);
        }
    }

    private static IllegalArgumentException notSpecified(Class<?> specification) {
        return new IllegalArgumentException(specification.getName() + " is not annotated with @AttentionSpec");
    }

    private static double ratio(Annotation spec, String side) {
        return value(spec, side)
                .map(pruning -> value(((AnnotationValue.OfAnnotation) pruning).annotation(), "ratio")
                        .map(ratio -> ((AnnotationValue.OfDouble) ratio).doubleValue())
                        .orElseGet(() -> (Double) defaultValue(ChannelPruning.class, "ratio")))
                .orElseGet(() -> ((ChannelPruning) defaultValue(AttentionSpec.class, side)).ratio());
    }

    /** Returns a value that is written out; class files leave defaults to the annotation's declaration. */
    private static Optional<AnnotationValue> value(Annotation annotation, String name) {
        return annotation.elements().stream()
                .filter(element -> element.name().equalsString(name))
                .map(AnnotationElement::value)
                .findFirst();
    }

    private static Object defaultValue(Class<?> annotation, String name) {
        try {
            return annotation.getMethod(name).getDefaultValue();
        } catch (NoSuchMethodException impossible) {
            throw new IllegalStateException(annotation + " has no " + name, impossible);
        }
    }
}
