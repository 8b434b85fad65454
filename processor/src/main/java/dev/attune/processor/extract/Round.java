package dev.attune.processor.extract;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;

/**
 * What javac hands over in one round of annotation processing.
 *
 * @param annotated the annotated declarations
 * @param roots the top-level declarations of the round: of the source at first, of generated files afterwards
 */
public record Round(List<Element> annotated, List<Element> roots) {

    /** Copies what javac hands over. */
    public Round(Collection<? extends Element> annotated, Collection<? extends Element> roots) {
        this(List.copyOf(annotated), List.copyOf(roots));
    }

    /** Returns the qualified names of the top-level types. */
    public Set<String> declaredTypes() {
        return roots.stream()
                .filter(TypeElement.class::isInstance)
                .map(root -> ((TypeElement) root).getQualifiedName().toString())
                .collect(Collectors.toUnmodifiableSet());
    }
}
