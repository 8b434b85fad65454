package dev.attune.processor.extract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.AttentionSpec;
import dev.attune.annotations.Backend;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Where attributes are, above all those that are not written. */
class PositionTest {

    private static Specification read(String attributes) {
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        Reading reading = new Reading();
        JavaFileObject source = new SimpleJavaFileObject(URI.create("memory:///Foo.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return "import dev.attune.annotations.*;\n@AttentionSpec(queryHeads = 8, keyValueHeads = 4, "
                        + "headDim = 128" + attributes + ") interface Foo {}";
            }
        };
        JavaCompiler.CompilationTask task =
                javac.getTask(null, null, null, List.of("-proc:only"), null, List.of(source));
        task.setProcessors(List.of(reading));
        assertTrue(task.call());
        return reading.specifications.getFirst();
    }

    private static String valueAt(Attribute<?> attribute) {
        return ((SourcePosition) attribute.position()).value().map(Object::toString).orElse("the annotation");
    }

    @Test
    void writtenAttributesAreAtTheirValues() {
        Specification specification = read(", window = 7, keys = @ChannelPruning(ratio = 0.25)");
        assertEquals("7", valueAt(specification.window()));
        assertEquals("0.25", valueAt(specification.keys().ratio()));
        assertTrue(specification.keys().ratio().written());
        assertEquals("keys.ratio", specification.keys().ratio().name());
    }

    @Test
    void defaultsAreAtTheInnermostWrittenAnnotation() {
        Specification specification = read(", keys = @ChannelPruning(ratio = 0.25)");
        assertTrue(valueAt(specification.keys().format()).endsWith("ChannelPruning(ratio=0.25)"));
        assertFalse(specification.keys().format().written());
        assertEquals("the annotation", valueAt(specification.window()));
    }

    @Test
    void attributesOfADefaultAnnotationAreNotWritten() {
        Specification specification = read("");
        assertFalse(specification.keys().ratio().written());
        assertEquals(0.8, specification.keys().ratio().value());
        assertEquals("the annotation", valueAt(specification.keys().ratio()));
        assertEquals(0.0, specification.values().ratio().value());
    }

    private static final class Reading extends AbstractProcessor {

        private final List<Specification> specifications = new ArrayList<>();

        @Override
        public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment environment) {
            Round round = new Round(
                    environment.getElementsAnnotatedWith(AttentionSpec.class), environment.getRootElements());
            specifications.addAll(new SpecificationExtractor(
                    processingEnv.getElementUtils(), EnumSet.allOf(Backend.class)).extract(round));
            return false;
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
}
