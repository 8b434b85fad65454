package dev.attune.processor.validate;

import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.extract.Specification;
import java.util.List;

/** Something every specification has to satisfy by itself. */
@FunctionalInterface
interface Rule {

    /** Returns what is wrong. */
    List<Finding> check(Specification specification);
}
