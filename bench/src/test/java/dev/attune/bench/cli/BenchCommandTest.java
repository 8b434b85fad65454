package dev.attune.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.NumberFormat;
import dev.attune.bench.compare.Selection;
import dev.attune.bench.layers.Pruning;
import dev.attune.bench.report.BenchReport;
import dev.attune.bench.report.ReportRow;
import dev.attune.bench.workload.Operation;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class BenchCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter errors = new StringWriter();

    @TempDir
    Path directory;

    @Test
    void withoutOptionsTheShapesOfTheGoalsAreMeasured() {
        Selection selection = selection();
        assertEquals(List.of(Operation.values()), selection.operations());
        assertEquals(List.of(128), selection.headDims());
        assertEquals(List.of(1, 4), selection.groupSizes());
        assertEquals(List.of(32_768, 131_072), selection.contexts());
        assertEquals(Set.of(Pruning.values()), selection.prunings());
        assertEquals(Set.of(NumberFormat.BFLOAT16, NumberFormat.INT8), selection.formats());
    }

    @Test
    void fullWidensWhatNoOptionNarrows() {
        Selection selection = selection("--full", "--groups", "8");
        assertEquals(List.of(64, 128, 256), selection.headDims());
        assertEquals(List.of(8), selection.groupSizes());
        assertEquals(List.of(4096, 32_768, 131_072), selection.contexts());
        assertTrue(selection.formats().contains(NumberFormat.FLOAT32));
    }

    @Test
    void listsAreReadInTheirOrderAndWithoutRepetition() {
        Selection selection = selection(
                "--operations", "pack-values,decode-step,pack-values", "--specs", "k0.8-centred",
                "--formats", "f32,bf16", "--head-dims", "256,64", "--contexts", "4k,640,4096", "--threads", "1,all,1");
        assertEquals(List.of(Operation.PACK_VALUES, Operation.DECODE_STEP), selection.operations());
        assertEquals(Set.of(Pruning.KEYS_80), selection.prunings());
        assertEquals(Set.of(NumberFormat.FLOAT32, NumberFormat.BFLOAT16), selection.formats());
        assertEquals(List.of(256, 64), selection.headDims());
        assertEquals(List.of(4096, 640), selection.contexts());
        int cores = Runtime.getRuntime().availableProcessors();
        assertEquals(cores == 1 ? List.of(1) : List.of(1, cores), selection.threads());
    }

    @Test
    void everyBadOptionIsOneLineThatNamesValueLimitAndRemedy() {
        assertRefused("--operations: sort is not known; choose from decode-step", "--operations", "sort");
        assertRefused("--specs: k0.7 is not known; choose from dense, k0.8-centred", "--specs", "k0.7");
        assertRefused("--formats: int3 is not known; choose from", "--formats", "int3");
        assertRefused("--head-dims: 96 is not known; choose from 64, 128, 256", "--head-dims", "96");
        assertRefused("--groups: 3 is not known; choose from 1, 4, 8", "--groups", "3");
        assertRefused("--contexts: 100 is no positive multiple of 64", "--contexts", "100");
        assertRefused("--contexts: 9999999k is no positive multiple of 64", "--contexts", "9999999k");
        assertRefused("--threads: 0 is not between 1 and the", "--threads", "0");
        assertRefused("--threads: many is not between 1 and the", "--threads", "many");
        assertRefused("--seconds = 0.0 is not between 0 and 3600", "--seconds", "0");
        assertRefused("--report: " + directory + " is a directory", "--report", directory.toString());
        assertRefused("Unknown option: '--loud'", "--loud");
    }

    @Test
    void aRunPrintsATableAndWritesARowForEveryLayer() throws IOException {
        Path report = directory.resolve("reports").resolve("bench.json");

        int exit = commandLine().execute(
                "bench", "--operations", "decode-step,key-scores,value-sums", "--formats", "bf16", "--contexts", "256",
                "--groups", "1", "--seconds", "0.01", "--longest-warm-up", "0.01", "--report", report.toString());

        assertEquals(0, exit, errors.toString());
        BenchReport read = BenchReport.parse(Files.readString(report));
        assertEquals(3 * Pruning.values().length, read.rows().size());
        assertEquals(read.comparisons(), read.compared());
        for (ReportRow row : read.rows()) {
            assertTrue(row.nanosPerTokenHead() > 0 && row.bytesPerTokenHead() > 0, row.toString());
            assertTrue(row.fractionOfReadBandwidth() > 0 && row.speedupOverDenseBf16() > 0, row.toString());
            assertEquals(256, row.contextTokens());
        }
        assertTrue(out.toString().contains("decode-step, d = 128, G = 1, 256 tokens, 1 thread"), out.toString());
        assertTrue(out.toString().contains("k0.8-centred+v0.8"), out.toString());
        assertTrue(out.toString().contains("report: " + report), out.toString());
    }

    private Selection selection(String... options) {
        BenchCommand command = new BenchCommand();
        new CommandLine(command).parseArgs(options);
        return command.selection();
    }

    private void assertRefused(String message, String... options) {
        String[] arguments = new String[options.length + 1];
        arguments[0] = "bench";
        System.arraycopy(options, 0, arguments, 1, options.length);
        errors.getBuffer().setLength(0);

        assertEquals(2, commandLine().execute(arguments));

        assertTrue(errors.toString().startsWith("bench: "), errors.toString());
        assertTrue(errors.toString().contains(message), errors.toString());
        assertFalse(errors.toString().strip().contains("\n"), errors.toString());
    }

    private CommandLine commandLine() {
        return AttuneCommand.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(errors, true));
    }
}
