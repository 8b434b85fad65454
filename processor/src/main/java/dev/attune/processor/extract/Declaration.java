package dev.attune.processor.extract;

import dev.attune.processor.diagnostics.Position;
import java.util.Optional;

/**
 * How and where a specification's type is declared.
 *
 * @param packageName its package, empty for the unnamed one
 * @param name its name within the package, {@code Outer.Foo} for a nested one
 * @param kind what it is, with an article, such as {@code an interface}
 * @param generic whether it has type parameters
 * @param privateType the name of the outermost private type among it and those around it
 * @param innerClass the name of the outermost inner (nested, not static) class around it
 * @param module the name of its module, empty for the unnamed one
 * @param seesVectors whether its module sees the Vector API
 * @param position the declaration
 */
public record Declaration(
        String packageName,
        String name,
        String kind,
        boolean generic,
        Optional<String> privateType,
        Optional<String> innerClass,
        String module,
        boolean seesVectors,
        Position position) {

    /** Returns the simple name. */
    public String simpleName() {
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
