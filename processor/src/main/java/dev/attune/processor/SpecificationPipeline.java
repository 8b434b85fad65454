package dev.attune.processor;

import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.Round;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.extract.SpecificationExtractor;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.model.PlannedKernels;
import dev.attune.processor.model.Tuning;
import dev.attune.processor.profile.Profiles;
import dev.attune.processor.validate.SpecificationValidator;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The way from annotated interfaces to source files. */
final class SpecificationPipeline {

    /** Turns a specification into classes; {@link KernelCompiler} does. */
    @FunctionalInterface
    interface Compiler {

        /** Returns the classes of a specification, given what was measured of its kernels. */
        List<GeneratedSource> compile(AttentionModel model, Function<PlannedKernels, Tuning> measurements);
    }

    private final SpecificationExtractor extractor;
    private final SpecificationValidator validator;
    private final Profiles profiles;
    private final Compiler compiler;
    private final SourceDestination destination;
    private final Reporter reporter;
    private final boolean verbose;

    SpecificationPipeline(
            SpecificationExtractor extractor,
            SpecificationValidator validator,
            Profiles profiles,
            Compiler compiler,
            SourceDestination destination,
            Reporter reporter,
            boolean verbose) {
        this.extractor = extractor;
        this.validator = validator;
        this.profiles = profiles;
        this.compiler = compiler;
        this.destination = destination;
        this.reporter = reporter;
        this.verbose = verbose;
    }

    /**
     * Extracts the specifications of a round, validates them, and for each sound one plans its kernels, emits their
     * text, sees what profiles know of these kernels, and writes the classes.
     */
    void run(Round round) {
        List<Specification> extracted = extractor.extract(round);
        List<Specification> sound = validator.validate(extracted, round.declaredTypes());
        for (Specification specification : sound) {
            List<GeneratedSource> sources = compiler.compile(
                    specification.model(), kernels -> profiles.tuning(specification, kernels, reporter));
            write(sources, specification);
        }
    }

    private void write(List<GeneratedSource> sources, Specification specification) {
        for (GeneratedSource source : sources) {
            try {
                destination.write(source, specification.declaration().position());
            } catch (IOException cause) {
                reporter.report(Message.FILE_NOT_WRITTEN.at(
                        specification.annotation(), source.className() + ".java", cause));
                // The others would fail alike.
                return;
            }
        }
        if (verbose) {
            String classes = sources.stream().map(GeneratedSource::className).collect(Collectors.joining(", "));
            reporter.report(
                    Message.GENERATED.at(specification.annotation(), specification.qualifiedName(), classes));
        }
    }
}
