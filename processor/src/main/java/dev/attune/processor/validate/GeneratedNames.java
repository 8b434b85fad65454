package dev.attune.processor.validate;

import dev.attune.annotations.Backend;
import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.plan.KernelPlan;
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
 * the name of a class in the source: {@code Foo} and {@code FooScalar} both claim {@code FooScalarKernels}. A variant
 * that a profile leaves out keeps its name: what was measured does not decide whether a program compiles.
 */
final class GeneratedNames {

    private final KernelPlan.Variants variants;
    private final Map<String, Set<Specification>> claims = new LinkedHashMap<>();
    private final Set<String> declared = new HashSet<>();

    /** A specification that claims a class another one claims too. */
    record Clash(Specification specification, Finding finding) {}

    /** Starts without any name; each specification gets a class for each of these variants. */
    GeneratedNames(KernelPlan.Variants variants) {
        this.variants = variants;
    }

    /** Takes note of the types of a round, before its specifications; those generated here are not the source's. */
    void declare(Collection<String> types) {
        types.stream().filter(type -> !claims.containsKey(type)).forEach(declared::add);
    }

    /**
     * Takes note of a round's specifications, and returns the clashes among them and with earlier ones.
     *
     * @param generated the classes of each
     */
    List<Clash> claim(Map<Specification, Set<String>> generated) {
        generated.forEach((specification, names) -> names.forEach(
                name -> claims.computeIfAbsent(name, unclaimed -> new LinkedHashSet<>()).add(specification)));
        List<Clash> clashes = new ArrayList<>();
        Set<List<Specification>> seen = new HashSet<>();
        claims.forEach((name, claimants) -> {
            for (Specification one : claimants) {
                for (Specification other : claimants) {
                    boolean news = generated.containsKey(one) || generated.containsKey(other);
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

    /** Returns what is wrong if the source has classes that a specification would generate once more. */
    List<Finding> declaredAlready(Specification specification, Set<String> generated) {
        return generated.stream()
                .filter(declared::contains)
                .map(name -> Message.GENERATED_AND_DECLARED.at(
                        specification.annotation(), specification.qualifiedName(), name))
                .toList();
    }

    /** Returns the classes that a specification generates whatever its numbers are: all but those of variants. */
    Set<String> certain(Specification specification) {
        AttentionModel model = specification.model();
        Set<String> names = new LinkedHashSet<>();
        names.add(model.qualify(model.providerName()));
        names.add(model.qualify(model.kernelsName(Backend.SCALAR)));
        model.backends().forEach(backend -> names.add(model.qualify(model.kernelsName(backend))));
        return names;
    }

    /** Returns all classes that a specification generates; which variants there are depends on its numbers. */
    Set<String> all(Specification specification) {
        AttentionModel model = specification.model();
        Set<String> names = certain(specification);
        KernelPlan.of(model, variants).forEach(plan -> names.add(model.qualify(plan.className())));
        return names;
    }
}
