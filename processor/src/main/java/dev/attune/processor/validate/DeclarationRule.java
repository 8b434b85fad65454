package dev.attune.processor.validate;

import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.extract.Declaration;
import dev.attune.processor.extract.Specification;
import java.util.ArrayList;
import java.util.List;

/** The annotated type is an interface that classes of its package can refer to by its name alone. */
final class DeclarationRule implements Rule {

    @Override
    public List<Finding> check(Specification specification) {
        Declaration declaration = specification.declaration();
        String name = declaration.name();
        List<Finding> findings = new ArrayList<>();
        if (!declaration.kind().equals("an interface")) {
            findings.add(Message.NOT_AN_INTERFACE.at(
                    declaration.position(), name, declaration.kind(), declaration.simpleName()));
        }
        if (declaration.generic()) {
            findings.add(Message.GENERIC.at(declaration.position(), name));
        }
        declaration.privateType().ifPresent(type ->
                findings.add(Message.PRIVATE.at(declaration.position(), name, type)));
        declaration.innerClass().ifPresent(type ->
                findings.add(Message.INNER.at(declaration.position(), name, type)));
        return findings;
    }
}
