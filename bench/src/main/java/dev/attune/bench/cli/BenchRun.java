package dev.attune.bench.cli;

import dev.attune.bench.compare.Comparison;
import dev.attune.bench.compare.ComparisonRun;
import dev.attune.bench.compare.Selection;
import dev.attune.bench.measure.Schedule;
import dev.attune.bench.report.BenchReport;
import dev.attune.bench.report.DecodeTimeChart;
import dev.attune.bench.report.ReadSpeed;
import dev.attune.bench.report.ReportRow;
import dev.attune.bench.report.ReportTable;
import dev.attune.bench.report.RooflineChart;
import dev.attune.bench.roofline.ReadBandwidth;
import dev.attune.bench.workload.Operation;
import dev.attune.bench.workload.RandomPrompt;
import dev.attune.examples.report.AtomicFile;
import dev.attune.examples.report.Machine;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;

/**
 * One run of the benchmarks: measures how fast memory is read, then one comparison after another, and prints each as
 * soon as it is there. The report is written after every comparison, so that what is cut short is not lost.
 */
final class BenchRun {

    private static final List<String> METHOD = List.of(
            "Whatever is compared takes turns in the same rounds, in an order drawn anew for every round; so does a"
                    + " pass of plain reading over memory far larger than the caches, on as many threads.",
            "Times are medians over the rounds; ratios are formed within a round, and their medians are given.",
            "A turn is one step of all tokens and heads, repeated until 4 ms have passed; so contexts that fit the"
                    + " processor's caches are measured in them.",
            "Bytes are those the operation must move, all parts of the cache counted; packing also reads the float32"
                    + " prompt. Of reading: those bytes per second, by the bytes per second of plain reading.",
            "8 key-value heads; random numbers; every tile packed.");

    private final Selection selection;
    private final Schedule schedule;
    private final Path file;
    private final Optional<Path> charts;
    private final PrintWriter out;
    private final BenchProgress progress;

    private final Machine machine = Machine.here();
    private final String date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    private final Map<Integer, ReadBandwidth> reading = new LinkedHashMap<>();
    private final List<ReportRow> rows = new ArrayList<>();
    private int compared;

    BenchRun(Selection selection, Schedule schedule, Path file, Optional<Path> charts, CommandLine command) {
        this.selection = selection;
        this.schedule = schedule;
        this.file = file;
        this.charts = charts;
        this.out = command.getOut();
        this.progress = new BenchProgress(out, command.getErr());
    }

    void run() {
        AtomicFile.requireWritable("--report", file);
        charts.ifPresent(directory -> AtomicFile.requireWritable("--charts", directory.resolve("roofline.svg")));
        try {
            measureReading();
            try (BenchProgress.Bar bar = progress.start(selection.comparisons().size())) {
                for (int headDim : selection.headDims()) {
                    compare(headDim, bar);
                }
            }
        } finally {
            reading.values().forEach(ReadBandwidth::close);
        }
        out.println("report: " + file);
        charts.ifPresent(this::draw);
        out.flush();
    }

    /** Draws the decode steps on the fewest threads. */
    private void draw(Path directory) {
        int threads = Collections.min(selection.threads());
        for (int headDim : selection.headDims()) {
            List<ReportRow> steps = rows.stream()
                    .filter(row -> row.headDim() == headDim && row.threads() == threads)
                    .filter(row -> row.operation().equals(Operation.DECODE_STEP.toString()))
                    .toList();
            if (!steps.isEmpty()) {
                write(directory.resolve("decode-time-" + headDim + ".svg"), DecodeTimeChart.svg(steps));
                write(directory.resolve("roofline-" + headDim + ".svg"), RooflineChart.svg(steps));
            }
        }
    }

    private void write(Path chart, String svg) {
        AtomicFile.write(chart, svg);
        out.println("chart:  " + chart);
    }

    private void measureReading() {
        out.println(machine.line());
        for (int threads : selection.threads()) {
            ReadBandwidth found = ReadBandwidth.on(threads, schedule);
            reading.put(threads, found);
            out.println("reading: " + ReadSpeed.of(found).line());
        }
        out.println();
        out.flush();
    }

    private void compare(int headDim, BenchProgress.Bar bar) {
        try (RandomPrompt prompt = new RandomPrompt(headDim, selection.longestContext())) {
            for (Comparison comparison : selection.comparisons(headDim)) {
                bar.begin(comparison.title());
                List<ReportRow> found = ReportRow.of(ComparisonRun.of(
                        comparison, prompt, reading.get(comparison.threads()), schedule));
                rows.addAll(found);
                compared++;
                AtomicFile.write(file, report().json());
                List<String> lines = new ArrayList<>();
                lines.add(comparison.title() + "; " + ReportTable.reading(found));
                lines.addAll(ReportTable.lines(found));
                lines.add("");
                bar.end(lines);
            }
        }
    }

    private BenchReport report() {
        return new BenchReport(
                BenchReport.VERSION,
                machine,
                ManagementFactory.getRuntimeMXBean().getInputArguments(),
                date,
                METHOD,
                reading.values().stream().map(ReadSpeed::of).toList(),
                selection.comparisons().size(),
                compared,
                rows);
    }
}
