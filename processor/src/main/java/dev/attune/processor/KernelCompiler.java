package dev.attune.processor;

import dev.attune.processor.emit.SourceEmitter;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.model.PlannedKernels;
import dev.attune.processor.model.Tuning;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.OpenClPlan;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Turns a validated specification into source text: plan, then emit. Knows nothing of javac. */
public final class KernelCompiler {

    private final KernelPlan.Variants variants;

    /** Prepares a compiler that plans the usual variants. */
    public KernelCompiler() {
        this(KernelPlan.Variants.USUAL);
    }

    /** Prepares a compiler that plans the usual variants or all. */
    public KernelCompiler(KernelPlan.Variants variants) {
        this.variants = variants;
    }

    /** Returns the classes of a specification: the factory first, then one class per variant. */
    public List<GeneratedSource> compile(AttentionModel model) {
        return compile(model, kernels -> Tuning.NONE);
    }

    /**
     * Returns the classes of a specification of which something may have been measured before.
     *
     * @param measurements returns what was measured of the kernels; called once
     */
    public List<GeneratedSource> compile(AttentionModel model, Function<PlannedKernels, Tuning> measurements) {
        Optional<OpenClPlan> openCl = model.hasOpenCl() ? Optional.of(OpenClPlan.of(model)) : Optional.empty();
        return new SourceEmitter().emit(model, KernelPlan.of(model, variants), openCl, measurements);
    }
}
