package dev.attune.processor;

import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.extract.SourcePosition;
import dev.attune.processor.model.GeneratedSource;
import java.io.IOException;
import java.io.Writer;
import javax.annotation.processing.Filer;

/** Writes generated classes where javac compiles them. */
record FilerDestination(Filer filer) implements SourceDestination {

    @Override
    public void write(GeneratedSource source, Position origin) throws IOException {
        // The one originating element is what lets an incremental build redo this file with its specification.
        SourcePosition declaration = (SourcePosition) origin;
        try (Writer writer = filer.createSourceFile(source.className(), declaration.element()).openWriter()) {
            writer.write(source.text());
        }
    }
}
