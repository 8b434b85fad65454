package dev.attune.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.attune.examples.evaluation.CacheCatalogue;
import dev.attune.examples.evaluation.CacheChoice;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DemoTest {

    @TempDir
    Path directory;

    @Test
    void everyBadInputIsOneLineThatNamesValueLimitAndRemedy() throws IOException {
        Path malformed = write("malformed.jsonl", "{\"prompt\": \"abc\", \"answer\": \"1\"}\n{\"prompt\": \"abc\n");
        Path incomplete = write("incomplete.jsonl", "{\"prompt\": \"abc\"}\n");
        Path brief = write("brief.txt", "too brief");

        assertRefused("none.jsonl does not exist", "--needles", directory.resolve("none.jsonl").toString());
        assertRefused("line 2 is not JSON", "--needles", malformed.toString());
        assertRefused("line 1 has no text field \"answer\"", "--needles", incomplete.toString());
        assertRefused("has no prompts", "--needles", write("empty.jsonl", "\n").toString());
        assertRefused("has 9 bytes, one passage needs 2113", "--heldout", brief.toString());
        assertRefused("none.txt does not exist", "--heldout", directory.resolve("none.txt").toString());
        assertRefused("ask for at most 25", "--passages", "26");
        assertRefused("--prompts = 0 is less than 1", "--prompts", "0");
        assertRefused("--prompts", "--prompts", "many");
        assertRefused("'k0.7' is unknown; choose from dense, k0.5", "--caches", "dense,k0.7");
        assertRefused("config.json does not exist", "--model", directory.toString());
        assertRefused("--unknown", "--unknown");
    }

    @Test
    void aModelWithOtherHeadsIsRefusedByItsNumbers() throws IOException {
        Path shipped = ShippedModel.directory();
        String config = Files.readString(shipped.resolve("config.json"));
        write("config.json", config.replace("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 3"));
        Files.copy(shipped.resolve("model.safetensors"), directory.resolve("model.safetensors"));
        assertRefused("has the tensor model.layers.3.", "--model", directory.toString());

        write("config.json", config.replace("\"head_dim\": 128", "\"head_dim\": 64")
                .replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 8")
                .replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4"));
        assertRefused("8/4/64", "--model", directory.toString());

        write("config.json", config.replace("\"vocab_size\": 256", "\"vocab_size\": 32000"));
        assertRefused("vocab_size = 32000", "--model", directory.toString());
    }

    @Test
    void helpNamesEveryCache() {
        StringWriter out = new StringWriter();
        int code = commandLine(out, new StringWriter()).execute("--help");

        assertEquals(0, code);
        for (CacheChoice choice : CacheCatalogue.all()) {
            assertTrue(out.toString().replaceAll("\\s+", " ").contains(choice.name()), choice.name());
        }
    }

    @Test
    void aShortRunScoresSanelyAndReportsEverything() throws IOException {
        Path json = directory.resolve("rows.json");
        StringWriter out = new StringWriter();
        StringWriter errors = new StringWriter();
        int code = commandLine(out, errors).execute(
                "--caches", "dense,k0.8-centred+v0.8,k0.8-zero", "--passages", "2", "--prompts", "2",
                "--json", json.toString(), "--report", directory.resolve("report").toString());

        assertEquals(0, code, errors.toString());
        JsonNode rows = new ObjectMapper().readTree(json.toFile());
        assertEquals(3, rows.size());
        JsonNode dense = rows.get(0);
        JsonNode pruned = rows.get(1);
        JsonNode zero = rows.get(2);
        assertEquals("dense", dense.get("cache").asText());
        assertEquals(4, dense.get("prompts").asInt());
        assertEquals(2, dense.get("needles").size());
        assertEquals(1, dense.get("needleAccuracy").asDouble());
        assertEquals(1, pruned.get("needleAccuracy").asDouble());
        double loss = pruned.get("natsPerByte").asDouble() - dense.get("natsPerByte").asDouble();
        double zeroLoss = zero.get("natsPerByte").asDouble() - dense.get("natsPerByte").asDouble();
        assertTrue(dense.get("natsPerByte").asDouble() < 1.5, dense.toString());
        assertTrue(loss < 0.05, "the pruned cache loses " + loss);
        assertTrue(zeroLoss > loss, "zero fill loses " + zeroLoss + ", less than restoration: " + loss);
        assertTrue(dense.get("bytesPerTokenPerHead").asDouble() >= 512, dense.toString());
        assertTrue(pruned.get("bytesPerTokenPerHead").asDouble() < 256, pruned.toString());
        assertTrue(pruned.get("decodeMicros").asDouble() > 0, pruned.toString());
        assertFalse(pruned.get("backend").asText().isEmpty());

        String page = Files.readString(directory.resolve("report").resolve("report.html"));
        assertEquals(3, page.split("<svg", -1).length - 1);
        assertFalse(page.matches("(?s).*(src|href)=[\"'](?!#).*"), "the page refers to something outside");
        // Namespaces are names, nobody fetches them.
        String content = page.replaceAll("xmlns(:\\w+)?=[\"'][^\"']*[\"']", "");
        assertFalse(content.contains("http"), "the page refers to something outside");
        assertTrue(Files.exists(directory.resolve("report").resolve("report.json")));
        // Neither bars nor colours in what is no terminal.
        assertFalse((out.toString() + errors).contains("\u001b"));
    }

    private void assertRefused(String part, String... arguments) {
        StringWriter errors = new StringWriter();
        int code = commandLine(new StringWriter(), errors).execute(arguments);
        String message = errors.toString();
        assertEquals(2, code, message);
        assertTrue(message.contains(part), message);
        assertEquals(1, message.lines().count(), message);
    }

    private static CommandLine commandLine(StringWriter out, StringWriter errors) {
        return Demo.commandLine()
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(errors));
    }

    private Path write(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content);
    }
}
