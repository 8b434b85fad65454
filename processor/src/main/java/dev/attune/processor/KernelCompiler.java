package dev.attune.processor;

import dev.attune.processor.emit.SourceEmitter;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.OpenClPlan;
import java.util.List;
import java.util.Optional;

/** Turns a validated specification into source text: plan, then emit. Knows nothing of javac. */
public final class KernelCompiler {

    /** Returns the classes of a specification: the factory first, then one class per backend. */
    public List<GeneratedSource> compile(AttentionModel model) {
        Optional<OpenClPlan> openCl = model.hasOpenCl() ? Optional.of(OpenClPlan.of(model)) : Optional.empty();
        return new SourceEmitter().emit(model, KernelPlan.all(model), openCl);
    }
}
