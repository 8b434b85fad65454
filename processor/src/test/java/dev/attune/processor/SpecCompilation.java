package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.model.PlannedKernels;
import dev.attune.processor.options.ProcessorOptions;
import dev.attune.processor.model.SourceFingerprint;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.annotation.processing.Processor;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/**
 * One run of javac with both processors over sources given as text. Runs that share a folder are builds of one
 * project: each finds the classes of those before.
 *
 * <p>A {@value #MARK} in a source is not part of it: it marks the place that a message is expected at.
 */
final class SpecCompilation {

    static final String MARK = "§";

    static final SourceFingerprint FINGERPRINT = new SourceFingerprint("5eed5eed5eed5eed", "c0dec0dec0dec0de");
    static final List<String> VARIANTS = List.of("vector512", "vector512-ahead0", "vector256", "scalar");

    private final Path folder;
    private final Map<String, String> sources = new LinkedHashMap<>();
    private final List<Place> marks = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final List<Processor> others = new ArrayList<>();
    private boolean vectors = true;

    SpecCompilation(Path folder) {
        this.folder = folder;
    }

    /** A place in a source; line and column count from 1, and are -1 for nowhere. */
    record Place(String source, long line, long column) {}

    /** A message of the processor's; the folder is replaced by {@code FOLDER} in its text. */
    record Reported(Diagnostic.Kind kind, Place place, String text) {}

    /**
     * What came of a run.
     *
     * @param succeeded whether javac is content
     * @param reported the messages of the processor, in the order of reporting
     * @param fromJavac the errors and warnings of javac itself
     * @param generated the generated source files by name
     */
    record Result(
            boolean succeeded,
            List<Reported> reported,
            List<String> fromJavac,
            Map<String, String> generated) {

        List<String> texts() {
            return reported.stream().map(Reported::text).toList();
        }
    }

    /** Adds a source file called {@code name}.java. */
    SpecCompilation source(String name, String text) {
        List<String> lines = text.lines().toList();
        for (int line = 0; line < lines.size(); line++) {
            int mark = lines.get(line).indexOf(MARK);
            if (mark >= 0) {
                marks.add(new Place(name, line + 1, mark + 1));
            }
        }
        sources.put(name, text.replace(MARK, ""));
        return this;
    }

    SpecCompilation options(List<String> more) {
        options.addAll(more);
        return this;
    }

    SpecCompilation processor(Processor other) {
        others.add(other);
        return this;
    }

    /** Writes a file, whose path is {@code FOLDER/name} in options. */
    SpecCompilation file(String name, String text) throws IOException {
        Files.writeString(Files.createDirectories(folder).resolve(name), text);
        return this;
    }

    /** Leaves the Vector API out of the module graph. */
    SpecCompilation withoutVectors() {
        vectors = false;
        return this;
    }

    /** Returns the marked places, in the order of the sources. */
    List<Place> marks() {
        return marks;
    }

    /** Runs javac with classes of no content; profiles find {@link #FINGERPRINT} and {@link #VARIANTS}. */
    Result compile() throws IOException {
        return compile(SpecCompilation::placeholders);
    }

    Result compile(Function<AttentionModel, List<GeneratedSource>> compiler) throws IOException {
        return run(options -> (model, measurements) -> {
            measurements.apply(new PlannedKernels(FINGERPRINT, VARIANTS));
            return compiler.apply(model);
        });
    }

    /**
     * Runs javac with classes of no content, and returns the text of the real ones in their place: there is no runtime
     * here that they would compile with.
     */
    Result generate() throws IOException {
        Map<String, String> real = new TreeMap<>();
        Result result = run(options -> (model, measurements) -> {
            List<GeneratedSource> sources = new KernelCompiler(options.variants()).compile(model, measurements);
            sources.forEach(source -> real.put(simpleName(source), source.text()));
            return sources.stream().map(source -> placeholder(model, simpleName(source))).toList();
        });
        assertTrue(result.generated().keySet().containsAll(real.keySet()), result::toString);
        return new Result(result.succeeded(), result.reported(), result.fromJavac(), real);
    }

    private Result run(Function<ProcessorOptions, SpecificationPipeline.Compiler> compiler) throws IOException {
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        Path generated = Files.createDirectories(folder.resolve("generated"));
        Path classes = Files.createDirectories(folder.resolve("classes"));
        try (StandardJavaFileManager files = javac.getStandardFileManager(diagnostics, Locale.ROOT, null)) {
            boolean named = sources.containsKey("module-info");
            files.setLocationFromPaths(StandardLocation.SOURCE_OUTPUT, List.of(generated));
            files.setLocationFromPaths(StandardLocation.CLASS_OUTPUT, List.of(classes));
            files.setLocationFromPaths(
                    named ? StandardLocation.MODULE_PATH : StandardLocation.CLASS_PATH,
                    named ? List.of(annotations()) : List.of(annotations(), classes));
            List<String> flags = new ArrayList<>(List.of("-Xlint:all,-incubating,-processing,-requires-automatic"));
            if (vectors && !named) {
                flags.addAll(List.of("--add-modules", "jdk.incubator.vector"));
            }
            options.forEach(option -> flags.add(option.replace("FOLDER", folder.toString())));
            JavaCompiler.CompilationTask task = javac.getTask(
                    null, files, diagnostics, flags, null, sources.entrySet().stream().map(Source::new).toList());
            List<Processor> processors = new ArrayList<>(others);
            processors.add(new AttentionSpecProcessor(compiler));
            processors.add(new KernelProviderProcessor());
            task.setProcessors(processors);
            boolean succeeded = task.call();
            return result(succeeded, diagnostics, generated);
        }
    }

    private Result result(boolean succeeded, DiagnosticCollector<JavaFileObject> diagnostics, Path generated)
            throws IOException {
        List<Reported> reported = new ArrayList<>();
        List<String> fromJavac = new ArrayList<>();
        for (Diagnostic<? extends JavaFileObject> diagnostic : diagnostics.getDiagnostics()) {
            String text = diagnostic.getMessage(Locale.ROOT).replace(folder.toString(), "FOLDER");
            String source = diagnostic.getSource() == null ? "" : diagnostic.getSource().getName()
                    .replaceAll(".*/|\\.java$", "");
            if (text.startsWith("[ATT")) {
                Place place = new Place(source, diagnostic.getLineNumber(), diagnostic.getColumnNumber());
                reported.add(new Reported(diagnostic.getKind(), place, text));
            } else if (diagnostic.getKind() != Diagnostic.Kind.NOTE) {
                fromJavac.add(text);
            }
        }
        Map<String, String> texts = new LinkedHashMap<>();
        try (Stream<Path> written = Files.walk(generated)) {
            for (Path file : written.filter(Files::isRegularFile).sorted(Comparator.naturalOrder()).toList()) {
                texts.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
            }
        }
        return new Result(succeeded, reported, fromJavac, texts);
    }

    /** Returns the entries of the provider list, or nothing if there is none. */
    List<String> providers() throws IOException {
        Path file = folder.resolve("classes").resolve(KernelProviderProcessor.FILE);
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private static Path annotations() {
        try {
            return Path.of(AttentionSpec.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Stands in for the kernel compiler: empty classes, each referring to its specification. */
    static List<GeneratedSource> placeholders(AttentionModel model) {
        List<String> names = new ArrayList<>(List.of(model.providerName(), model.kernelsName(Backend.SCALAR)));
        model.backends().forEach(backend -> names.add(model.kernelsName(backend)));
        return names.stream().map(name -> placeholder(model, name)).toList();
    }

    private static GeneratedSource placeholder(AttentionModel model, String simpleName) {
        String header = model.packageName().isEmpty() ? "" : "package " + model.packageName() + ";\n";
        return new GeneratedSource(model.qualify(simpleName), """
                %sfinal class %s {
                    static final Class<?> SPECIFICATION = %s.class;
                }
                """.formatted(header, simpleName, model.specificationName()));
    }

    private static String simpleName(GeneratedSource source) {
        return source.className().substring(source.className().lastIndexOf('.') + 1);
    }

    private static final class Source extends SimpleJavaFileObject {

        private final String text;

        Source(Map.Entry<String, String> source) {
            super(URI.create("memory:///" + source.getKey() + ".java"), Kind.SOURCE);
            text = source.getValue();
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
