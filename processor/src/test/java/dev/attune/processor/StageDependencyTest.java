package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which parts of the processor may know javac. */
class StageDependencyTest {

    private static final Path SOURCES = Path.of("src", "main", "java", "dev", "attune", "processor");

    private static List<String> filesImporting(String packagePrefix) throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> read(file).contains("import " + packagePrefix))
                    .map(file -> SOURCES.relativize(file).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }

    /** Returns a file's text; JavaPoet's own vocabulary for modifiers is no knowledge of the language model. */
    private static String read(Path file) {
        try {
            return Files.readString(file).replace("import javax.lang.model.element.Modifier;", "");
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }

    @Test
    void onlyProcessorsAndTheirAdaptersKnowAnnotationProcessing() throws IOException {
        assertEquals(
                List.of("AttentionSpecProcessor.java", "FilerDestination.java", "KernelProviderProcessor.java",
                        "MessagerReporter.java"),
                filesImporting("javax.annotation.processing"));
    }

    @Test
    void onlyProcessorsAndExtractionKnowTheLanguageModel() throws IOException {
        assertEquals(
                List.of("AttentionSpecProcessor.java", "KernelProviderProcessor.java"),
                filesImporting("javax.lang.model").stream().filter(file -> !file.startsWith("extract/")).toList());
    }

    @Test
    void gradleKnowsBothProcessors() throws IOException {
        try (var services = KernelProviderProcessor.class.getResourceAsStream(
                        "/META-INF/services/javax.annotation.processing.Processor");
                var kinds = KernelProviderProcessor.class.getResourceAsStream(
                        "/META-INF/gradle/incremental.annotation.processors")) {
            assertEquals(
                    List.of(AttentionSpecProcessor.class.getName(), KernelProviderProcessor.class.getName()),
                    new String(services.readAllBytes()).lines().sorted().toList());
            assertEquals(
                    List.of(AttentionSpecProcessor.class.getName() + ",isolating",
                            KernelProviderProcessor.class.getName() + ",aggregating"),
                    new String(kinds.readAllBytes()).lines().sorted().toList());
        }
    }

    @Test
    void theProcessorIsThin() throws IOException {
        assertTrue(Files.readAllLines(SOURCES.resolve("AttentionSpecProcessor.java")).size() <= 100);
    }
}
