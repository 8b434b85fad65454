package dev.attune.processor;

import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import java.util.List;

/** Turns a validated specification into source text: plan, then emit. Knows nothing of javac. */
public final class KernelCompiler {

    /** Returns the classes of a specification: the factory first, then one class per backend. */
    public List<GeneratedSource> compile(AttentionModel model) {
        throw new UnsupportedOperationException();
    }
}
