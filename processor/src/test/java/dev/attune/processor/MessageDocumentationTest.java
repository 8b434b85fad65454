package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.processor.diagnostics.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code docs/messages.md} has a row per message: id, text, when, remedy, example. */
class MessageDocumentationTest {

    private static List<List<String>> rows() throws IOException {
        return Files.readAllLines(Path.of("..", "docs", "messages.md")).stream()
                .filter(line -> line.startsWith("| `ATT"))
                .map(line -> Arrays.stream(line.substring(1).split("\\|")).map(String::strip).toList())
                .toList();
    }

    @Test
    void documentsEveryMessageWordForWord() throws IOException {
        List<List<String>> expected = Arrays.stream(Message.values())
                .map(message -> List.of(code(message.id()), code(message.text()), code(message.remedy())))
                .toList();
        List<List<String>> documented = rows().stream()
                .map(row -> List.of(row.get(0), row.get(1), row.get(3)))
                .toList();
        assertEquals(expected, documented);
    }

    @Test
    void everyRowSaysWhenAndShowsAnExample() throws IOException {
        for (List<String> row : rows()) {
            assertEquals(5, row.size(), row::toString);
            assertTrue(row.stream().noneMatch(String::isEmpty), row::toString);
        }
    }

    private static String code(String text) {
        return "`" + text + "`";
    }
}
