package dev.attune.processor;

import dev.attune.processor.diagnostics.Finding;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.SourcePosition;
import javax.annotation.processing.Messager;
import javax.tools.Diagnostic;

/** Reports findings as javac's diagnostics. */
record MessagerReporter(Messager messager) implements Reporter {

    @Override
    public void report(Finding finding) {
        Diagnostic.Kind kind = switch (finding.message().severity()) {
            case ERROR -> Diagnostic.Kind.ERROR;
            case WARNING -> Diagnostic.Kind.WARNING;
            case NOTE -> Diagnostic.Kind.NOTE;
        };
        if (finding.position() instanceof SourcePosition position) {
            messager.printMessage(kind, finding.text(), position.element(),
                    position.annotation().orElse(null), position.value().orElse(null));
        } else {
            messager.printMessage(kind, finding.text());
        }
    }
}
