package dev.attune.examples.evaluation;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.attune.examples.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Prompts that hide a fact and ask for it, one JSON object {@code {"prompt": ..., "answer": ...}} per line.
 *
 * @param name the file's name without its ending
 * @param needles the prompts, in the file's order
 */
public record NeedleFile(String name, List<Needle> needles) {

    /** Bytes at the end of every prompt that are decoded on the pruned cache instead of being pruned themselves. */
    public static final int DECODED = 2;

    /** Copies the list. */
    public NeedleFile {
        needles = List.copyOf(needles);
    }

    /**
     * One prompt.
     *
     * @param prompt its bytes in UTF-8, at least three
     * @param answer the bytes that greedy decoding must yield, at least one
     */
    public record Needle(byte[] prompt, byte[] answer) {}

    /**
     * Reads a file with at least one prompt.
     *
     * @throws InputException if it is missing, empty, or a line is malformed
     */
    public static NeedleFile read(Path path) {
        List<String> lines;
        try {
            lines = Files.readAllLines(path);
        } catch (NoSuchFileException e) {
            throw new InputException("--needles: " + path + " does not exist; give a JSONL file", e);
        } catch (IOException e) {
            throw new InputException("--needles: " + path + " cannot be read: " + e
                    + "; give a JSONL file in UTF-8", e);
        }
        ObjectMapper json = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        List<Needle> needles = new ArrayList<>();
        for (int line = 1; line <= lines.size(); line++) {
            if (!lines.get(line - 1).isBlank()) {
                needles.add(needle(json, path, line, lines.get(line - 1)));
            }
        }
        if (needles.isEmpty()) {
            throw new InputException("--needles: " + path
                    + " has no prompts; give at least one line {\"prompt\": \"...\", \"answer\": \"...\"}");
        }
        String file = path.getFileName().toString();
        return new NeedleFile(file.endsWith(".jsonl") ? file.substring(0, file.length() - 6) : file, needles);
    }

    private static Needle needle(ObjectMapper json, Path path, int line, String text) {
        JsonNode object;
        try {
            object = json.readTree(text);
        } catch (JacksonException e) {
            throw fault(path, line, "is not JSON (" + e.getOriginalMessage().lines().findFirst().orElse("") + ")");
        }
        byte[] prompt = bytes(object, "prompt", path, line);
        byte[] answer = bytes(object, "answer", path, line);
        if (prompt.length <= DECODED) {
            throw fault(path, line, "has a prompt of " + prompt.length + " bytes, at least "
                    + (DECODED + 1) + " are needed");
        }
        if (answer.length == 0) {
            throw fault(path, line, "has an empty answer");
        }
        return new Needle(prompt, answer);
    }

    private static byte[] bytes(JsonNode object, String field, Path path, int line) {
        JsonNode value = object.path(field);
        if (!value.isTextual()) {
            throw fault(path, line, "has no text field \"" + field + "\"");
        }
        return value.asText().getBytes(StandardCharsets.UTF_8);
    }

    private static InputException fault(Path path, int line, String fault) {
        return new InputException("--needles: " + path + " line " + line + " " + fault
                + "; every line is {\"prompt\": \"...\", \"answer\": \"...\"}");
    }

    /** Returns the positions that the longest prompt takes with its answer, whose last byte is not fed. */
    public int positions() {
        return needles.stream()
                .mapToInt(needle -> needle.prompt().length + needle.answer().length - 1)
                .max()
                .orElseThrow();
    }

    /** Returns the first prompts, at most {@code count}. */
    public NeedleFile first(int count) {
        return new NeedleFile(name, needles.subList(0, Math.min(count, needles.size())));
    }
}
