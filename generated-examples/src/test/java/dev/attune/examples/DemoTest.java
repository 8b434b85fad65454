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
import java.util.List;
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
    void targetsThatCannotBeWrittenAreRefusedBeforeTheEvaluation() throws IOException {
        Path file = write("file", "");
        Path taken = Files.createDirectories(directory.resolve("taken"));
        Files.createDirectories(directory.resolve("report").resolve("report.json"));

        StringWriter out = new StringWriter();
        assertRefused(out, "--json: " + taken + " is a directory", "--json", taken.toString());
        assertRefused(out, "--json: " + file.resolve("rows.json") + " cannot be written: " + file
                + " is not a directory", "--json", file.resolve("rows.json").toString());
        assertRefused(out, "--report: " + file.resolve("report.html") + " cannot be written",
                "--report", file.toString());
        assertRefused(out, "report.json is a directory", "--report", directory.resolve("report").toString());
        assertEquals("", out.toString());
    }

    @Test
    void inputsBeyondTheContextOfTheModelAreWarnedOfWithBothNumbers() throws IOException {
        Path shipped = ShippedModel.directory();
        String config = Files.readString(shipped.resolve("config.json"));
        write("config.json",
                config.replace("\"max_position_embeddings\": 4096", "\"max_position_embeddings\": 2000"));
        Files.copy(shipped.resolve("model.safetensors"), directory.resolve("model.safetensors"));
        Path prompt = write("long.jsonl", "{\"prompt\": \"" + "a".repeat(2500) + "\", \"answer\": \"12\"}\n");
        Path shortPrompt = write("short.jsonl", "{\"prompt\": \"abc\", \"answer\": \"12\"}\n");

        // The target that cannot be written ends the run after the warnings.
        StringWriter errors = new StringWriter();
        int code = commandLine(new StringWriter(), errors).execute(
                "--model", directory.toString(), "--needles", prompt.toString(), "--needles", shortPrompt.toString(),
                "--json", directory.toString());

        assertEquals(2, code);
        List<String> lines = errors.toString().lines().toList();
        assertEquals(3, lines.size(), errors.toString());
        assertTrue(lines.get(0).contains("held-out passages"), lines.get(0));
        assertTrue(lines.get(0).contains("2112 positions, but the model's max_position_embeddings = 2000"));
        assertTrue(lines.get(1).contains("prompts of long take up to 2501 positions"), lines.get(1));
        assertTrue(lines.get(1).contains("max_position_embeddings = 2000"), lines.get(1));
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
        List<String> caches = List.of(
                "dense", "k0.8", "k0.8-centred", "k0.8-centred+v0.8", "k0.9-centred+v0.9", "k0.8-zero");
        Path json = directory.resolve("rows.json");
        StringWriter out = new StringWriter();
        StringWriter errors = new StringWriter();
        int code = commandLine(out, errors).execute(
                "--caches", String.join(",", caches), "--passages", "2", "--prompts", "2",
                "--json", json.toString(), "--report", directory.resolve("report").toString());

        assertEquals(0, code, errors.toString());
        JsonNode rows = new ObjectMapper().readTree(json.toFile());
        assertEquals(caches, rows.findValuesAsText("cache"));
        JsonNode dense = rows.get(0);
        JsonNode pruned = rows.get(3);
        JsonNode zero = rows.get(5);
        assertEquals(4, dense.get("prompts").asInt());
        assertEquals(2, dense.get("needles").size());
        // Observed on these two passages; bounds of losses are about twice what was observed.
        double base = dense.get("natsPerByte").asDouble();
        assertEquals(0.8659, base, 0.003, "nats/byte of the dense cache");
        assertLoss(0.0115, rows.get(1), base);
        assertLoss(0.0120, rows.get(2), base);
        assertLoss(0.0155, pruned, base);
        assertLoss(0.0271, rows.get(4), base);
        double zeroLoss = zero.get("natsPerByte").asDouble() - base;
        assertTrue(zeroLoss > 0.08 && zeroLoss < 0.34, "zero fill loses " + zeroLoss + ", observed: 0.1696");
        for (JsonNode row : rows) {
            double accuracy = row.get("needleAccuracy").asDouble();
            assertTrue(row == zero ? accuracy < 0.8 : accuracy == 1, row.toString());
        }
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

    /** A loss of zero is wrong as well: then nothing was pruned. */
    private static void assertLoss(double limit, JsonNode row, double base) {
        double loss = row.get("natsPerByte").asDouble() - base;
        assertTrue(loss > 0 && loss < limit, row.get("cache") + " loses " + loss + " nats/byte, limit " + limit);
    }

    private void assertRefused(String part, String... arguments) {
        assertRefused(new StringWriter(), part, arguments);
    }

    private void assertRefused(StringWriter out, String part, String... arguments) {
        StringWriter errors = new StringWriter();
        int code = commandLine(out, errors).execute(arguments);
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
