package dev.attune.processor.validate;

import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.plan.KernelPlan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells sound specifications from broken ones and reports everything that is wrong with the latter. It depends on
 * nothing but the specifications, the variants asked for and the types of the source, so two validators that see the
 * same rounds agree.
 */
public final class SpecificationValidator {

    private static final List<Rule> RULES =
            List.of(new DeclarationRule(), new SizeRule(), new PruningRule(), new VectorModuleRule());

    private final GeneratedNames names;
    private final Set<Specification> sound = new LinkedHashSet<>();
    private final Reporter reporter;

    /**
     * Creates a validator.
     *
     * @param variants which variants each specification gets a class for
     * @param reporter where all findings are reported
     */
    public SpecificationValidator(KernelPlan.Variants variants, Reporter reporter) {
        names = new GeneratedNames(variants);
        this.reporter = reporter;
    }

    /**
     * Validates the specifications of one round. One of an earlier round turns out to be broken if a new one claims
     * the same generated class.
     *
     * @param declaredTypes the qualified names of the round's top-level types
     * @return the sound ones of this round
     */
    public List<Specification> validate(Collection<Specification> specifications, Collection<String> declaredTypes) {
        names.declare(declaredTypes);
        Map<Specification, List<Finding>> findings = new LinkedHashMap<>();
        Map<Specification, Set<String>> generated = new LinkedHashMap<>();
        for (Specification specification : specifications) {
            List<Finding> own = findings.computeIfAbsent(specification, first -> new ArrayList<>());
            RULES.forEach(rule -> own.addAll(rule.check(specification)));
            // What is broken cannot be planned; its variants are claimed when it is repaired.
            Set<String> classes = own.isEmpty() ? names.all(specification) : names.certain(specification);
            generated.put(specification, classes);
            own.addAll(names.declaredAlready(specification, classes));
        }
        for (GeneratedNames.Clash clash : names.claim(generated)) {
            findings.computeIfAbsent(clash.specification(), earlier -> new ArrayList<>()).add(clash.finding());
        }
        findings.forEach((specification, own) -> {
            if (own.isEmpty()) {
                sound.add(specification);
            } else {
                sound.remove(specification);
                own.forEach(reporter::report);
            }
        });
        return specifications.stream().filter(sound::contains).toList();
    }

    /** Returns the specifications of all rounds in which nothing wrong has been found. */
    public List<Specification> sound() {
        return List.copyOf(sound);
    }
}
