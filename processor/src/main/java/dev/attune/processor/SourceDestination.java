package dev.attune.processor;

import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.model.GeneratedSource;
import java.io.IOException;

/** Where generated classes go. */
@FunctionalInterface
public interface SourceDestination {

    /**
     * Writes a generated class.
     *
     * @param origin the declaration it is generated for
     * @throws IOException if it cannot be written, or has been written before
     */
    void write(GeneratedSource source, Position origin) throws IOException;
}
