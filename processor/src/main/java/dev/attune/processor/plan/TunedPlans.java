package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.processor.model.Tuning;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The plans that are carried out, once it is known which were the fastest somewhere. A backend's default stays the
 * first of its own, since it packs for the others; whoever tries the others in their order meets likely winners first.
 *
 * @param java the plans of Java classes, the backends in the order they were planned in
 * @param openCl the plan of the OpenCL program
 */
public record TunedPlans(List<KernelPlan> java, Optional<OpenClPlan> openCl) {

    /** Copies the list of plans. */
    public TunedPlans {
        java = List.copyOf(java);
    }

    /**
     * Orders and reduces plans.
     *
     * @param java plans of Java classes, those of one backend together and its default first
     */
    public static TunedPlans of(List<KernelPlan> java, Optional<OpenClPlan> openCl, Tuning tuning) {
        Set<Backend> kept = java.stream()
                .filter(plan -> plan.backend() == Backend.SCALAR || tuning.keeps(plan.name()))
                .map(KernelPlan::backend)
                .collect(Collectors.toSet());
        List<Backend> backends = java.stream().map(KernelPlan::backend).distinct().toList();
        List<KernelPlan> ordered = java.stream()
                .filter(plan -> kept.contains(plan.backend()))
                .filter(plan -> plan.isDefault() || tuning.keeps(plan.name()))
                .sorted(Comparator.comparing((KernelPlan plan) -> backends.indexOf(plan.backend()))
                        .thenComparing(plan -> !plan.isDefault())
                        .thenComparing(plan -> -tuning.wins(plan.name())))
                .toList();
        return new TunedPlans(ordered, openCl.filter(plan -> tuning.keeps(plan.name())));
    }
}
