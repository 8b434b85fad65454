package dev.attune.processor;

import com.google.auto.service.AutoService;
import dev.attune.annotations.AttentionSpec;
import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.Round;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.extract.SpecificationExtractor;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.options.ProcessorOptions;
import dev.attune.processor.profile.Profiles;
import dev.attune.processor.validate.SpecificationValidator;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.ProcessingEnvironment;
import javax.annotation.processing.Processor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;
import javax.tools.FileObject;
import javax.tools.StandardLocation;

/**
 * Lists the generated providers for {@link java.util.ServiceLoader}. An aggregating processor: its one file stems from
 * all specifications.
 *
 * <p>It extracts and validates by itself what {@link AttentionSpecProcessor} extracts and validates, and so arrives at
 * the same sound specifications, without a channel between the two that an incremental build could cut. It reports
 * nothing about them, since the other has; what profiles know of specifications that do not exist is its own to report,
 * being about all of them.
 */
@AutoService(Processor.class)
public final class KernelProviderProcessor extends AbstractProcessor {

    static final String FILE = "META-INF/services/dev.attune.runtime.spi.KernelProvider";

    private final Set<String> attempted = new HashSet<>();
    private Optional<SpecificationValidator> validator = Optional.empty();
    private Optional<SpecificationExtractor> extractor = Optional.empty();
    private Optional<Profiles> profiles = Optional.empty();

    @Override
    public synchronized void init(ProcessingEnvironment environment) {
        super.init(environment);
        Optional<ProcessorOptions> given = ProcessorOptions.parse(environment.getOptions(), Reporter.SILENT);
        profiles = given.flatMap(
                options -> Profiles.read(options.profiles(), options.winnersOnly(), Reporter.SILENT));
        validator = given.map(options -> new SpecificationValidator(options.variants(), Reporter.SILENT));
        extractor = given.filter(options -> profiles.isPresent())
                .map(options -> new SpecificationExtractor(environment.getElementUtils(), options.backends()));
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment environment) {
        Round round = new Round(
                environment.getElementsAnnotatedWith(AttentionSpec.class), environment.getRootElements());
        extractor.ifPresent(reader -> {
            List<Specification> specifications = reader.extract(round);
            validator.ifPresent(rules -> rules.validate(specifications, round.declaredTypes()));
            specifications.forEach(specification -> attempted.add(provider(specification)));
        });
        if (environment.processingOver()) {
            if (!environment.errorRaised()) {
                extractor.ifPresent(this::reportUnknown);
            }
            list(validator.stream()
                    .flatMap(rules -> rules.sound().stream())
                    .map(KernelProviderProcessor::provider)
                    .toList());
        }
        return false;
    }

    private void reportUnknown(SpecificationExtractor reader) {
        Reporter reporter = new MessagerReporter(processingEnv.getMessager());
        profiles.ifPresent(known -> known.reportUnknown(reader::isSpecification, reporter));
    }

    private void list(List<String> generated) {
        try {
            ServiceFile earlier = earlierFile();
            List<String> providers = new ArrayList<>(generated);
            earlier.providers().stream()
                    .filter(provider -> !attempted.contains(provider))
                    .filter(provider -> processingEnv.getElementUtils().getTypeElement(provider) != null)
                    .forEach(providers::add);
            ServiceFile file = ServiceFile.of(providers);
            if (!file.equals(earlier)) {
                write(file);
            }
        } catch (IOException cause) {
            new MessagerReporter(processingEnv.getMessager())
                    .report(Message.FILE_NOT_WRITTEN.at(Position.NOWHERE, FILE, cause));
        }
    }

    /** Returns what an earlier build left, which an incremental one that sees few specifications adds to. */
    private ServiceFile earlierFile() throws IOException {
        try {
            FileObject file = processingEnv.getFiler().getResource(StandardLocation.CLASS_OUTPUT, "", FILE);
            return ServiceFile.parse(file.getCharContent(true).toString());
        } catch (FileNotFoundException | NoSuchFileException none) {
            return ServiceFile.of(List.of());
        }
    }

    private void write(ServiceFile file) throws IOException {
        FileObject output = processingEnv.getFiler().createResource(StandardLocation.CLASS_OUTPUT, "", FILE);
        try (Writer writer = output.openWriter()) {
            writer.write(file.text());
        }
    }

    private static String provider(Specification specification) {
        AttentionModel model = specification.model();
        return model.qualify(model.providerName());
    }

    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return Set.of(AttentionSpec.class.getCanonicalName());
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }
}
