package dev.attune.processor;

import dev.attune.processor.emit.SourceEmitter;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.plan.KernelPlan;
import java.util.List;

/** Turns a validated specification into source text: plan, then emit. Knows nothing of javac. */
public final class KernelCompiler {

    /** Returns the classes of a specification: the factory first, then one class per backend. */
    public List<GeneratedSource> compile(AttentionModel model) {
        return new SourceEmitter().emit(model, KernelPlan.all(model));
    }
}
