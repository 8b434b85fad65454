package dev.attune.processor;

import com.google.auto.service.AutoService;
import dev.attune.annotations.AttentionSpec;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.Round;
import dev.attune.processor.extract.SpecificationExtractor;
import dev.attune.processor.options.ProcessorOption;
import dev.attune.processor.options.ProcessorOptions;
import dev.attune.processor.profile.Profiles;
import dev.attune.processor.validate.SpecificationValidator;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.ProcessingEnvironment;
import javax.annotation.processing.Processor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;

/**
 * Generates the kernels of every interface annotated with {@link AttentionSpec}; {@link SpecificationPipeline} says
 * how. An isolating processor: every file it writes stems from one interface.
 */
@AutoService(Processor.class)
public final class AttentionSpecProcessor extends AbstractProcessor {

    private final Function<ProcessorOptions, SpecificationPipeline.Compiler> compiler;
    private Optional<SpecificationPipeline> pipeline = Optional.empty();

    /** Called by javac. */
    public AttentionSpecProcessor() {
        this(options -> new KernelCompiler(options.variants())::compile);
    }

    /** Creates a processor that generates what the compiler for its options returns. */
    AttentionSpecProcessor(Function<ProcessorOptions, SpecificationPipeline.Compiler> compiler) {
        this.compiler = compiler;
    }

    @Override
    public synchronized void init(ProcessingEnvironment environment) {
        super.init(environment);
        Reporter reporter = new MessagerReporter(environment.getMessager());
        // With a mistaken option or profile nothing is generated: what was meant is not known.
        pipeline = ProcessorOptions.parse(environment.getOptions(), reporter)
                .flatMap(options -> Profiles.read(options.profiles(), options.winnersOnly(), reporter)
                        .map(profiles -> new SpecificationPipeline(
                                new SpecificationExtractor(environment.getElementUtils(), options.backends()),
                                new SpecificationValidator(options.variants(), reporter),
                                profiles,
                                compiler.apply(options),
                                new FilerDestination(environment.getFiler()),
                                reporter,
                                options.verbose())));
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment environment) {
        Round round = new Round(
                environment.getElementsAnnotatedWith(AttentionSpec.class), environment.getRootElements());
        pipeline.ifPresent(stages -> stages.run(round));
        // Not claimed: javac would not run KernelProviderProcessor then.
        return false;
    }

    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return Set.of(AttentionSpec.class.getCanonicalName());
    }

    /** Returns Attune's options, and the mistaken ones too: they are reported here, once, and not by javac again. */
    @Override
    public Set<String> getSupportedOptions() {
        Stream<String> known = Arrays.stream(ProcessorOption.values()).map(ProcessorOption::key);
        Stream<String> given = processingEnv == null
                ? Stream.empty()
                : processingEnv.getOptions().keySet().stream().filter(key -> key.startsWith(ProcessorOption.PREFIX));
        return Stream.concat(known, given).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }
}
