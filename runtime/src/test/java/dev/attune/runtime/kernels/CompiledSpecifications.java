package dev.attune.runtime.kernels;

import dev.attune.processor.KernelCompiler;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.runtime.spi.KernelProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/**
 * Generates the kernels of specifications, compiles them in memory with every lint turned into an error, and loads
 * them.
 */
public final class CompiledSpecifications {

    private static final List<String> OPTIONS = List.of(
            "--release",
            "25",
            "--add-modules",
            "jdk.incubator.vector",
            "-proc:none",
            "-Xlint:all",
            "-Xlint:-incubating",
            "-Werror");

    private final Map<String, KernelProvider> providers = new HashMap<>();

    private CompiledSpecifications() {}

    public static CompiledSpecifications of(List<AttentionModel> models) {
        return of(models, KernelPlan.Variants.USUAL);
    }

    public static CompiledSpecifications of(List<AttentionModel> models, KernelPlan.Variants variants) {
        CompiledSpecifications compiled = new CompiledSpecifications();
        Map<String, byte[]> classes = compile(models, variants);
        ClassLoader loader = new ClassLoader(CompiledSpecifications.class.getClassLoader()) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                byte[] bytes = classes.get(name);
                if (bytes == null) {
                    throw new ClassNotFoundException(name);
                }
                return defineClass(name, bytes, 0, bytes.length);
            }
        };
        for (AttentionModel model : models) {
            try {
                Class<?> provider = loader.loadClass(model.qualify(model.providerName()));
                compiled.providers.put(model.specificationName(), (KernelProvider)
                        provider.getConstructor().newInstance());
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(e);
            }
        }
        return compiled;
    }

    public KernelProvider provider(AttentionModel model) {
        return providers.get(model.specificationName());
    }

    private static Map<String, byte[]> compile(List<AttentionModel> models, KernelPlan.Variants variants) {
        List<JavaFileObject> sources = new ArrayList<>();
        for (AttentionModel model : models) {
            String name = model.specificationName();
            sources.add(new Source(new GeneratedSource(
                    model.qualify(name), "package " + model.packageName() + "; interface " + name + " {}")));
            new KernelCompiler(variants).compile(model).forEach(source -> sources.add(new Source(source)));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        Map<String, ByteArrayOutputStream> outputs = new HashMap<>();
        JavaFileManager files =
                new ForwardingJavaFileManager<>(compiler.getStandardFileManager(diagnostics, null, null)) {
                    @Override
                    public JavaFileObject getJavaFileForOutput(
                            Location location, String className, JavaFileObject.Kind kind, FileObject sibling)
                            throws IOException {
                        if (location != StandardLocation.CLASS_OUTPUT) {
                            return super.getJavaFileForOutput(location, className, kind, sibling);
                        }
                        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                        outputs.put(className, bytes);
                        return new SimpleJavaFileObject(URI.create("memory:///" + className), kind) {
                            @Override
                            public OutputStream openOutputStream() {
                                return bytes;
                            }
                        };
                    }
                };
        boolean success = compiler.getTask(null, files, diagnostics, OPTIONS, null, sources)
                .call();
        if (!success) {
            StringBuilder problems = new StringBuilder("generated sources do not compile cleanly:");
            for (Diagnostic<? extends JavaFileObject> diagnostic : diagnostics.getDiagnostics()) {
                problems.append('\n').append(diagnostic);
            }
            throw new AssertionError(problems);
        }
        Map<String, byte[]> classes = new HashMap<>();
        outputs.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
        return classes;
    }

    private static final class Source extends SimpleJavaFileObject {

        private final String text;

        Source(GeneratedSource source) {
            super(URI.create("memory:///" + source.className().replace('.', '/') + ".java"), Kind.SOURCE);
            this.text = source.text();
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
