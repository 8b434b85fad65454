package dev.attune.bench.gpu;

import dev.attune.runtime.opencl.DeviceShard;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.spi.KernelProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Checks the decode step on the preferred OpenCL device and times it beside PyTorch's, and writes a report of both.
 *
 * <pre>java dev.attune.bench.gpu.GpuBenchmark gpu-report.json [sdpa.json]</pre>
 *
 * <p>The second file has PyTorch's times in microseconds, as {@code bench/gpu/sdpa.py} writes them. The system property
 * {@code attune.bench.quick} leaves long shapes out.
 */
public final class GpuBenchmark {

    /** Caches of a shape are as many as take this much memory, and take turns: more than any cache of a device. */
    private static final long ROTATED_BYTES = 400L << 20;

    /** Until what a step calls is compiled: before, Java takes several times as long to put commands into a queue. */
    static final int WARM_UPS = 3000;

    private static final int STEPS = 100;

    private record Row(
            String cache,
            String path,
            int devices,
            Workload.Shape shape,
            double bytesPerTokenPerHead,
            double kernelMicros,
            double inARowMicros,
            double endToEndMicros,
            double gigabytesPerSecond) {}

    private final OpenClDevice device = OpenClDevices.find().preferred();
    private final List<Row> rows = new ArrayList<>();
    private final Map<String, Double> torch;
    private double bandwidth;

    private GpuBenchmark(Map<String, Double> torch) {
        this.torch = torch;
    }

    /** Runs the benchmark. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 1 || arguments.length > 2) {
            System.err.println("usage: GpuBenchmark REPORT.json [SDPA.json]");
            System.exit(2);
        }
        GpuBenchmark benchmark = new GpuBenchmark(
                arguments.length == 2 && Files.exists(Path.of(arguments[1]))
                        ? times(Files.readString(Path.of(arguments[1])))
                        : Map.of());
        benchmark.run();
        Files.writeString(Path.of(arguments[0]), benchmark.json());
    }

    /** Reads a flat object of numbers. */
    private static Map<String, Double> times(String json) {
        Map<String, Double> times = new TreeMap<>();
        Matcher entries = Pattern.compile("\"([^\"]+)\"\\s*:\\s*([0-9.eE+-]+)").matcher(json);
        while (entries.find()) {
            times.put(entries.group(1), Double.valueOf(entries.group(2)));
        }
        return times;
    }

    private void run() {
        System.out.println(device.describe());
        bandwidth = ReadBandwidth.measure(device);
        System.out.printf(Locale.ROOT, "read bandwidth %.0f GB/s%n", bandwidth);
        System.out.printf(
                "%-16s %-9s %-6s %10s %10s %10s %10s %8s %6s %7s %8s %7s%n",
                "cache", "path", "shape", "kernel us", "in a row", "end-to-end", "ns/tok/hd", "GB/s", "of bw",
                "x torch", "in a row", "x eager");
        for (Workload workload : Workload.all()) {
            for (String path : List.of("fastest", "portable")) {
                System.setProperty(LayerProgram.PATH_PROPERTY, path);
                try (LayerProgram program = LayerProgram.build(
                        device,
                        workload.provider().shape(),
                        workload.provider().layout(),
                        workload.provider().openCl().orElseThrow())) {
                    String name = program.isFused() ? "nvidia" : "portable";
                    if (path.equals("portable") || program.isFused()) {
                        double error = Correctness.check(program, workload.provider());
                        System.out.printf(Locale.ROOT, "%-16s %-9s correct, NMSE %.1e%n", workload.name(), name, error);
                        time(workload, program, name);
                    }
                }
            }
        }
        System.clearProperty(LayerProgram.PATH_PROPERTY);
        shareOut();
    }

    /** Times caches on one device, and shared out among several if the machine has them. */
    private void shareOut() {
        List<Integer> counts = IntStream.iterate(1, count -> count <= SharedOut.alike().size(), count -> 2 * count)
                .boxed()
                .toList();
        if (counts.size() == 1 || Boolean.getBoolean("attune.bench.quick")) {
            return;
        }
        for (Workload.Shape shape : Workload.shapes()) {
            KernelProvider provider =
                    shape.batch() == 1 ? new Keys80Values80Kernels() : new Keys80Values80Batch8Kernels();
            double bytesPerTokenPerHead = provider.openCl().orElseThrow().tileBytes() / 64.0;
            double[] micros = SharedOut.endToEndMicros(provider, counts, shape.tokens());
            for (int i = 0; i < micros.length; i++) {
                rows.add(new Row(
                        "k0.8+v0.8", "cache", counts.get(i), shape, bytesPerTokenPerHead, Double.NaN, Double.NaN,
                        micros[i], Double.NaN));
                System.out.printf(
                        Locale.ROOT,
                        "%-16s %-9s %-6s devices %d end-to-end %10.1f, %.2f times as fast as one%n",
                        "k0.8+v0.8", "cache", shape.name(), counts.get(i), micros[i], micros[0] / micros[i]);
            }
        }
    }

    private void time(Workload workload, LayerProgram program, String path) {
        for (Workload.Shape shape : Workload.shapes()) {
            if (Boolean.getBoolean("attune.bench.quick") && shape.tokens() * shape.batch() > 32_768) {
                continue;
            }
            int heads = workload.provider().shape().keyValueHeads() * shape.batch();
            int tiles = shape.tokens() / 64;
            double tileBytes = workload.provider().openCl().orElseThrow().tileBytes();
            long bytes = (long) (tileBytes * heads * tiles);
            int caches = (int) Math.max(1, Math.ceilDiv(ROTATED_BYTES, bytes));
            List<DeviceShard> shards = new ArrayList<>();
            try {
                for (int i = 0; i < caches; i++) {
                    DeviceShard shard = new DeviceShard(program, heads, tiles, 1);
                    shards.add(shard);
                    shard.scoreChannels(Workload.numbers(new Random(i), heads * 4 * 8 * 128), 0, 8);
                    shard.pack(tiles, Workload::copy);
                }
                rows.add(timed(workload, program, path, shape, shards, tileBytes / 64, bytes));
                print(rows.getLast());
            } finally {
                shards.forEach(DeviceShard::close);
            }
        }
    }

    private Row timed(
            Workload workload,
            LayerProgram program,
            String path,
            Workload.Shape shape,
            List<DeviceShard> shards,
            double bytesPerTokenPerHead,
            long bytes) {
        int queryHeads = shards.getFirst().heads() * workload.provider().shape().groupSize();
        float[] queries = Workload.numbers(new Random(9), queryHeads * workload.provider().shape().headDim());
        float[] output = new float[queries.length];
        float[] sums = new float[queryHeads];
        double[] kernel = new double[STEPS];
        double[] endToEnd = new double[STEPS];
        // First without times of launches, as in use, then with them.
        for (double[] times : List.of(endToEnd, kernel)) {
            program.program().takeTimes(times == kernel);
            for (int step = -WARM_UPS; step < STEPS; step++) {
                DeviceShard shard = shards.get(Math.floorMod(step, shards.size()));
                long start = System.nanoTime();
                shard.attend(queries, shape.tokens(), 0, output, sums);
                long nanos = System.nanoTime() - start;
                long onDevice = Arrays.stream(program.program().launchNanos()).sum();
                if (step >= 0) {
                    times[step] = (times == kernel ? onDevice : nanos) / 1e3;
                }
            }
        }
        double inARow = inARow(program, shards, shape.tokens());
        program.program().takeTimes(false);
        double kernelMicros = median(kernel);
        return new Row(
                workload.name(), path, 1, shape, bytesPerTokenPerHead, kernelMicros, inARow, median(endToEnd),
                bytes / kernelMicros / 1e3);
    }

    /**
     * Returns the time of a step's kernels when those of all caches are queued one after the other, with nothing in
     * between, as they are in PyTorch's graph.
     */
    private static double inARow(LayerProgram program, List<DeviceShard> shards, int tokens) {
        double[] times = new double[STEPS];
        for (int step = -STEPS; step < STEPS; step++) {
            DeviceShard.repeat(shards, tokens, 0);
            long onDevice = Arrays.stream(program.program().launchNanos()).sum();
            if (step >= 0) {
                times[step] = onDevice / 1e3 / shards.size();
            }
        }
        return median(times);
    }

    private static double median(double[] times) {
        Arrays.sort(times);
        return times[times.length / 2];
    }

    private double speedup(Row row, double micros) {
        return torch.getOrDefault(row.shape().name() + " graph", Double.NaN) / micros;
    }

    private double endToEndSpeedup(Row row) {
        return torch.getOrDefault(row.shape().name() + " eager", Double.NaN) / row.endToEndMicros();
    }

    private static double nanosPerToken(Row row) {
        return row.kernelMicros() * 1e3 / row.shape().tokens() / (row.shape().batch() * 8);
    }

    private void print(Row row) {
        System.out.printf(
                Locale.ROOT,
                "%-16s %-9s %-6s %10.1f %10.1f %10.1f %10.4f %8.0f %5.0f%% %7.2f %8.2f %7.2f%n",
                row.cache(),
                row.path(),
                row.shape().name(),
                row.kernelMicros(),
                row.inARowMicros(),
                row.endToEndMicros(),
                nanosPerToken(row),
                row.gigabytesPerSecond(),
                100 * row.gigabytesPerSecond() / bandwidth,
                speedup(row, row.kernelMicros()),
                speedup(row, row.inARowMicros()),
                endToEndSpeedup(row));
    }

    private String json() {
        StringBuilder json = new StringBuilder();
        json.append("{\n  \"device\": \"").append(device.describe().replace("\"", "'")).append("\",\n");
        json.append(String.format(Locale.ROOT, "  \"readGigabytesPerSecond\": %.1f,%n", bandwidth));
        json.append("  \"rows\": [\n");
        for (Row row : rows) {
            json.append(String.format(
                    Locale.ROOT,
                    "    {\"cache\": \"%s\", \"device\": \"%s\", \"path\": \"%s\", \"devices\": %d,"
                            + " \"queryHeads\": 32, \"keyValueHeads\": 8,"
                            + " \"headDim\": 128, \"batch\": %d, \"tokens\": %d, \"bytesPerTokenPerHead\": %.1f,"
                            + " \"kernelMicros\": %s, \"kernelInARowMicros\": %s, \"endToEndMicros\": %.2f,"
                            + " \"nanosPerTokenPerHead\": %s,"
                            + " \"gigabytesPerSecond\": %s, \"fractionOfReadBandwidth\": %s,"
                            + " \"speedupOverTorch\": %s, \"speedupOverTorchInARow\": %s,"
                            + " \"endToEndSpeedupOverTorch\": %s}%s%n",
                    row.cache(),
                    device.name(),
                    row.path(),
                    row.devices(),
                    row.shape().batch(),
                    row.shape().tokens(),
                    row.bytesPerTokenPerHead(),
                    number(row.kernelMicros()),
                    number(row.inARowMicros()),
                    row.endToEndMicros(),
                    number(nanosPerToken(row)),
                    number(row.gigabytesPerSecond()),
                    number(row.gigabytesPerSecond() / bandwidth),
                    number(speedup(row, row.kernelMicros())),
                    number(speedup(row, row.inARowMicros())),
                    number(endToEndSpeedup(row)),
                    row == rows.getLast() ? "" : ","));
        }
        return json.append("  ]\n}\n").toString();
    }

    private static String number(double number) {
        return Double.isNaN(number) ? "null" : String.format(Locale.ROOT, "%.5g", number);
    }
}
