package dev.attune.processor.validate;

import dev.attune.annotations.Backend;
import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The classes generated so far and for which specification, over all rounds. Not one name for two specifications, nor
 * the name of a class in the source: {@code Foo} and {@code FooScalar} both claim {@code FooScalarKernels}.
 */
final class GeneratedNames {

    private final Map<String, Set<Specification>> claims = new LinkedHashMap<>();
    private final Set<String> declared = new HashSet<>();

    /** A specification that claims a class another one claims too. */
    record Clash(Specification specification, Finding finding) {}

    /** Takes note of the types of a round, before its specifications; those generated here are not the source's. */
    void declare(Collection<String> types) {
        types.stream().filter(type -> !claims.containsKey(type)).forEach(declared::add);
    }

    /** Takes note of a round's specifications, and returns the clashes among them and with earlier ones. */
    List<Clash> claim(Collection<Specification> specifications) {
        for (Specification specification : specifications) {
            for (String name : generatedBy(specification)) {
                claims.computeIfAbsent(name, unclaimed -> new LinkedHashSet<>()).add(specification);
            }
        }
        List<Clash> clashes = new ArrayList<>();
        Set<List<Specification>> seen = new HashSet<>();
        claims.forEach((name, claimants) -> {
            for (Specification one : claimants) {
                for (Specification other : claimants) {
                    boolean news = specifications.contains(one) || specifications.contains(other);
                    // One finding per pair: Outer.Foo and Outer_Foo share every name.
                    if (one != other && news && seen.add(List.of(one, other))) {
                        clashes.add(new Clash(one, Message.GENERATED_BY_TWO.at(
                                one.annotation(), one.qualifiedName(), other.qualifiedName(), name)));
                    }
                }
            }
        });
        return clashes;
    }

    /** Returns the classes of the source that a specification would generate once more. */
    List<Finding> declaredAlready(Specification specification) {
        return generatedBy(specification).stream()
                .filter(declared::contains)
                .map(name -> Message.GENERATED_AND_DECLARED.at(
                        specification.annotation(), specification.qualifiedName(), name))
                .toList();
    }

    private static List<String> generatedBy(Specification specification) {
        AttentionModel model = specification.model();
        List<String> names = new ArrayList<>();
        names.add(model.qualify(model.providerName()));
        names.add(model.qualify(model.kernelsName(Backend.SCALAR)));
        model.backends().forEach(backend -> names.add(model.qualify(model.kernelsName(backend))));
        return names;
    }
}
