package dev.attune.processor.extract;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelPruning;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.Elements;

/**
 * Reads {@link AttentionSpec} annotations. Those that do not compile are passed over, since javac reports them; they
 * are tried again in the next round, when another processor may have generated the constants that they name.
 */
public final class SpecificationExtractor {

    private final Elements elements;
    private final Set<Backend> backends;
    private final Set<String> unread = new LinkedHashSet<>();

    /**
     * Creates an extractor.
     *
     * @param backends the backends that may be generated; others are dropped from every specification
     */
    public SpecificationExtractor(Elements elements, Set<Backend> backends) {
        this.elements = elements;
        this.backends = Set.copyOf(backends);
    }

    /** Returns the specifications of a round that can be read, in the order of the source. */
    public List<Specification> extract(Round round) {
        Set<Element> candidates = new LinkedHashSet<>();
        unread.forEach(name -> candidates.add(elements.getTypeElement(name)));
        candidates.addAll(round.annotated());
        unread.clear();

        List<Specification> specifications = new ArrayList<>();
        for (Element candidate : candidates) {
            // Anything but a type is an error of javac's: the annotation is for types.
            if (candidate instanceof TypeElement type) {
                try {
                    annotation(type).map(annotation -> extract(type, annotation)).ifPresent(specifications::add);
                } catch (UnreadableAnnotationException notYet) {
                    unread.add(type.getQualifiedName().toString());
                }
            }
        }
        return specifications;
    }

    /**
     * Returns whether there is a specification of a name, in this compilation or on its class path.
     *
     * @param name its qualified name, as in the source or as the JVM has it
     */
    public boolean isSpecification(String name) {
        return Stream.of(name, name.replace('$', '.'))
                .map(elements::getTypeElement)
                .filter(Objects::nonNull)
                .anyMatch(type -> annotation(type).isPresent());
    }

    private Optional<? extends AnnotationMirror> annotation(TypeElement type) {
        return type.getAnnotationMirrors().stream()
                .filter(mirror -> mirror.getAnnotationType().asElement() instanceof TypeElement annotation
                        && annotation.getQualifiedName().contentEquals(AttentionSpec.class.getCanonicalName()))
                .findFirst();
    }

    private Specification extract(TypeElement type, AnnotationMirror annotation) {
        AnnotationReader reader = new AnnotationReader(elements, SourcePosition.of(type), annotation);
        return new Specification(
                new DeclarationReader(elements).read(type),
                reader.position(),
                reader.primitive("queryHeads", Integer.class),
                reader.primitive("keyValueHeads", Integer.class),
                reader.primitive("headDim", Integer.class),
                pruning(reader.nested("keys")),
                pruning(reader.nested("values")),
                reader.primitive("window", Integer.class),
                reader.primitive("packGenerated", Boolean.class),
                backends(reader.constants("backends", Backend.class)));
    }

    /** Reads a {@link ChannelPruning}. */
    private static Pruning pruning(AnnotationReader reader) {
        return new Pruning(
                reader.primitive("ratio", Double.class),
                reader.constant("restoration", Restoration.class),
                reader.constant("channelWeight", ChannelWeight.class),
                reader.constant("centering", Centering.class),
                reader.constant("format", NumberFormat.class));
    }

    private Attribute<List<Backend>> backends(Attribute<List<Backend>> asWritten) {
        List<Backend> widestFirst = asWritten.value().stream()
                .filter(backend -> backend != Backend.SCALAR)
                .filter(backends::contains)
                .distinct()
                .sorted(Comparator.comparing(Backend::usesVectors)
                        .thenComparing(Comparator.comparingInt(Backend::vectorBits).reversed()))
                .toList();
        return new Attribute<>(asWritten.name(), widestFirst, asWritten.written(), asWritten.position());
    }
}
