package dev.attune.processor.extract;

import dev.attune.annotations.Backend;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.model.AttentionModel;
import java.util.List;

/**
 * An {@code AttentionSpec} annotation as written, right or wrong, with the position of everything in it.
 *
 * @param annotation the position of the annotation
 * @param backends the vector backends to generate: each once, the widest first
 */
public record Specification(
        Declaration declaration,
        Position annotation,
        Attribute<Integer> queryHeads,
        Attribute<Integer> keyValueHeads,
        Attribute<Integer> headDim,
        Pruning keys,
        Pruning values,
        Attribute<Integer> window,
        Attribute<Boolean> packGenerated,
        Attribute<List<Backend>> backends) {

    /** Returns the qualified name of the annotated type. */
    public String qualifiedName() {
        return model().qualify(declaration.name());
    }

    /** Returns whether a name is that of the annotated type, as in the source or as the JVM has it. */
    public boolean isCalled(String name) {
        String packageName = declaration.packageName();
        String prefix = packageName.isEmpty() ? "" : packageName + ".";
        return name.equals(prefix + declaration.name()) || name.equals(prefix + declaration.name().replace('.', '$'));
    }

    /** Returns the values without their positions. */
    public AttentionModel model() {
        return new AttentionModel(
                declaration.packageName(),
                declaration.name(),
                queryHeads.value(),
                keyValueHeads.value(),
                headDim.value(),
                keys.model(),
                values.model(),
                window.value(),
                packGenerated.value(),
                backends.value());
    }
}
