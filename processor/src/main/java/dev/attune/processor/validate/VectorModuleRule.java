package dev.attune.processor.validate;

import dev.attune.annotations.Backend;
import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.extract.Attribute;
import dev.attune.processor.extract.Declaration;
import dev.attune.processor.extract.Specification;
import java.util.List;
import java.util.stream.Collectors;

/** Vector kernels are generated only where they compile: where the incubating Vector API is visible. */
final class VectorModuleRule implements Rule {

    @Override
    public List<Finding> check(Specification specification) {
        Declaration declaration = specification.declaration();
        Attribute<List<Backend>> backends = specification.backends();
        List<Backend> vectors = backends.value().stream().filter(Backend::usesVectors).toList();
        if (vectors.isEmpty() || declaration.seesVectors()) {
            return List.of();
        }
        String names = vectors.stream().map(Backend::name).collect(Collectors.joining(", "));
        return List.of(declaration.module().isEmpty()
                ? Message.VECTOR_MODULE_NOT_ADDED.at(backends.position(), names)
                : Message.VECTOR_MODULE_NOT_REQUIRED.at(backends.position(), names, declaration.module()));
    }
}
