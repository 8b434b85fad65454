package dev.attune.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.attune.examples.specs.Llama31Attention;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands as a user types them, on a store of their own. */
class TuningCommandsTest {

    private static final int DONE = 0;
    private static final int UNUSABLE = 2;
    private static final int INCONCLUSIVE = 3;
    private static final String REASON = "the fastest of 2 <timed> to the end";

    private final KernelProvider provider = Attune.provider(Llama31Attention.class);

    @TempDir
    Path directory;

    private String out;
    private String errors;

    @BeforeEach
    void useAStoreOfOurOwn() {
        System.setProperty("attune.store", directory.resolve("store").toString());
        System.setProperty("attune.store.mode", "write");
    }

    @AfterEach
    void forgetIt() {
        System.clearProperty("attune.store");
        System.clearProperty("attune.store.mode");
    }

    @Test
    void specsListsWhatIsFound() throws IOException {
        assertEquals(DONE, run("specs"));
        assertTrue(out.contains("Llama31Attention"), out);
        assertFalse(out.contains("dev.attune.bench.layers"), out);
        assertEquals(DONE, run("specs", "--json"));
        JsonNode entry = json().findParents("name").stream()
                .filter(each -> each.get("name").asText().equals(Llama31Attention.class.getName()))
                .findFirst()
                .orElseThrow();
        assertEquals(provider.variants().size(), entry.get("variants").size());
        assertEquals(0.8, entry.get("pruned").get("keys").asDouble());
        assertEquals(0.8, entry.get("pruned").get("values").asDouble());
        assertEquals(DONE, run("specs", "--bench"));
        assertTrue(out.contains("dev.attune.bench.layers"), out);
    }

    @Test
    void theCommandLineExplainsItself() {
        assertEquals(DONE, run("--help"));
        String list = out;
        for (String command : AttuneCommand.commandLine().getSubcommands().keySet()) {
            assertEquals(DONE, run(command, "--help"));
            String head = out.lines().findFirst().orElseThrow();
            assertTrue(
                    list.lines().anyMatch(line -> line.strip().startsWith(command + " ") && line.endsWith(head)),
                    () -> command + " is missing in " + list);
        }
        assertRefused("Missing required subcommand; --help lists the commands");
        assertRefused("did you mean tune?", "tun");
        assertRefused("did you mean --budget?", "tune", "Llama31Attention", "--budgt", "5s");
    }

    @Test
    void measurementsWithoutAConclusionAreToldAndNotKept() throws IOException {
        Path profile = directory.resolve("profile.json");
        assertEquals(
                INCONCLUSIVE,
                run("tune", "ByteLmKeys80", "--contexts", "1k,1088", "--threads", "1", "--budget", "1ms", "--export",
                        profile.toString()));
        assertTrue(out.contains("ByteLmKeys80, 1k tokens, 1 thread"), out);
        assertTrue(errors.contains("1 of 1 measurements came to no conclusion in their share of 1ms"), errors);
        assertTrue(errors.contains("give more time with --budget"), errors);
        assertEquals(0, new ObjectMapper().readTree(profile.toFile()).findValues("chosen").size());
        assertEquals(DONE, run("show"));
        assertTrue(out.contains("nothing was measured yet"), out);
    }

    @Test
    void devicesDescribesTheMachine() throws IOException {
        assertEquals(DONE, run("devices", "--no-reading"));
        assertTrue(out.contains("processor: " + KernelTuner.environment().processor()), out);
        assertTrue(out.contains("OpenCL:"), out);
        assertEquals(DONE, run("devices", "--no-reading", "--json"));
        assertEquals(
                KernelTuner.environment().manifest().get("vectorBits"),
                json().get("environment").get("vectorBits").asText());
        assertTrue(json().get("backends").toString().contains("SCALAR"), out);
    }

    @Test
    void whatWasMeasuredDecidesAndIsExplained() throws IOException {
        int threads = Attune.kernels(provider).threads();
        save(32_768, threads);
        assertEquals(DONE, run("explain", "Llama31Attention"));
        assertTrue(out.contains("runs on scalar, measured, in the store: " + REASON), out);
        for (KernelVariant variant : provider.variants()) {
            assertTrue(out.contains(variant.name()), () -> variant + " is missing in " + out);
        }
        assertEquals(DONE, run("explain", "Llama31Attention", "--json"));
        assertEquals("scalar", json().get("chosen").asText());
        assertEquals(32_768, json().get("measured").get(0).get("contextTokens").asInt());
    }

    @Test
    void aReportIsOnePageThatEscapesWhatItShows() throws IOException {
        save(4096, 1);
        save(32_768, 1);
        Path page = directory.resolve("report.html");
        assertEquals(DONE, run("report", "Llama31Attention", "--no-reading", "--output", page.toString()));
        String html = Files.readString(page);
        assertTrue(html.contains("the fastest of 2 &lt;timed&gt; to the end"), html);
        assertFalse(html.contains("<timed>"), html);
        assertTrue(html.contains("<svg"), html);
        assertFalse(html.contains("<script") || html.contains("src=") || html.contains("@import"), html);
        assertFalse(html.contains("Beside reading memory"), html);
    }

    @Test
    void aReportDrawsTheRooflineOnceReadingIsMeasured() throws IOException {
        save(4096, 1);
        Path page = directory.resolve("report.html");
        assertEquals(DONE, run("report", "Llama31Attention", "--output", page.toString(), "--json"));
        assertEquals(
                Llama31Attention.class.getName(), json().get("specifications").get(0).asText());
        String html = Files.readString(page);
        assertTrue(html.contains("Beside reading memory, 1 thread"), html);
        assertTrue(html.contains("reading alone, "), html);
    }

    @Test
    void profilesCarryMeasurementsFromStoreToStore() throws IOException {
        save(4096, 1);
        save(32_768, 1);
        Path profile = directory.resolve("profile.json");
        assertEquals(DONE, run("export", profile.toString()));
        assertTrue(out.startsWith("2 records in "), out);
        System.setProperty("attune.store", directory.resolve("other").toString());
        assertEquals(DONE, run("import", profile.toString()));
        assertTrue(out.startsWith("2 records in "), out);
        assertEquals(DONE, run("show"));
        assertTrue(out.contains("Llama31Attention, 32k tokens, 1 thread"), out);
        Path again = directory.resolve("again.json");
        assertEquals(DONE, run("export", again.toString()));
        assertEquals(Files.readString(profile), Files.readString(again));
        assertEquals(DONE, run("clear"));
        assertTrue(out.startsWith("2 records cleared"), out);
        assertEquals(DONE, run("show"));
        assertTrue(out.contains("nothing was measured yet"), out);
    }

    @Test
    void whatIsUnusableIsSaidWithItsRemedy() throws IOException {
        assertRefused("did you mean Llama31Attention?", "explain", "llama31");
        assertRefused("did you mean Llama31Attention", "explain", "Lama31Atention");
        assertRefused("attune specs lists those that are found", "tune", "Nonsense");
        assertRefused("name a specification, or write --all", "tune");
        assertRefused("exclude each other", "tune", "--all", "Llama31Attention");
        assertRefused("write for example 500ms, 90s, 2m or 1h", "tune", "Llama31Attention", "--budget", "fast");
        assertRefused("write for example 4096 or 32k", "tune", "Llama31Attention", "--contexts", "4095");
        assertRefused("attune tune does that", "export", directory.resolve("none.json").toString());
        assertRefused("attune tune does that", "report", "--output", directory.resolve("none.html").toString());
        assertRefused("name jars or folders of classes", "specs", "--class-path", "/no/such/place");
        Path garbage = Files.writeString(directory.resolve("garbage.json"), "{\"format\": \"attune-profile-9\"}");
        assertRefused("write it anew with attune export", "import", garbage.toString());
        assertRefused("cannot be read", "import", directory.resolve("absent.json").toString());
        System.setProperty("attune.store.mode", "read");
        Path profile = Files.writeString(
                directory.resolve("empty.json"), "{\"format\": \"attune-profile-1\", \"environments\": []}");
        assertRefused("unset attune.store.mode", "import", profile.toString());
        assertRefused("unset attune.store.mode", "clear");
        System.setProperty("attune.store.mode", "sometimes");
        assertRefused("valid are write, read, off", "show");
    }

    private void assertRefused(String remedy, String... arguments) {
        assertEquals(UNUSABLE, run(arguments), () -> out + errors);
        assertTrue(errors.contains(remedy), errors);
        assertEquals(1, errors.lines().count(), errors);
    }

    /** Says that plain Java was the fastest, which no machine would choose by itself. */
    private void save(int contextTokens, int threads) {
        KernelTuner tuner = new KernelTuner(provider);
        var key = new TuningKey(
                Llama31Attention.class.getName(),
                provider.fingerprint().specification(),
                provider.fingerprint().sources(),
                "attend",
                contextTokens,
                provider.shape().groupSize(),
                threads,
                KernelTuner.POLICY);
        List<CandidateResult> candidates = new ArrayList<>();
        for (KernelVariant variant : provider.variants()) {
            candidates.add(
                    variant.name().equals("scalar") || variant.name().equals("vector128")
                            ? new CandidateResult(variant.name(), Verdict.TIMED, "", 20, 19, 21, 9)
                            : CandidateResult.untimed(variant.name(), Verdict.UNSUPPORTED, "not in this test"));
        }
        assertTrue(tuner.store()
                .save(new TuningRecord(
                        key, "scalar", "vector128", REASON, Instant.parse("2026-01-02T03:04:05Z"), candidates)));
    }

    private int run(String... arguments) {
        StringWriter output = new StringWriter();
        StringWriter complaints = new StringWriter();
        CommandLine command = AttuneCommand.commandLine();
        command.setOut(new PrintWriter(output));
        command.setErr(new PrintWriter(complaints));
        int exit = command.execute(arguments);
        out = output.toString();
        errors = complaints.toString();
        return exit;
    }

    private JsonNode json() throws IOException {
        return new ObjectMapper().readTree(out);
    }
}
