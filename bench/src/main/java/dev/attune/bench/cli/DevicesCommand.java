package dev.attune.bench.cli;

import dev.attune.annotations.Backend;
import dev.attune.bench.measure.Schedule;
import dev.attune.bench.report.ReadSpeed;
import dev.attune.bench.roofline.ReadBandwidth;
import dev.attune.examples.specs.Llama31Attention;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.Rung;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.tuning.Environment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what kernels can run on here. */
@Command(
        name = "devices",
        header = "Describe what kernels can run on here.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        synopsisHeading = "%nUsage: ",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        description = "Says what kernels can run on here: the processor, the width of its vectors, how fast its memory"
                + " is read, and OpenCL devices.")
final class DevicesCommand implements Callable<Integer> {

    private static final Schedule READING = Schedule.of(Duration.ofSeconds(3), Duration.ofSeconds(2));

    @Option(names = "--no-reading", description = "Do not measure how fast memory is read, which takes some seconds.")
    boolean noReading;

    @Mixin
    Output output;

    /**
     * The answer as JSON.
     *
     * @param environment this machine and JVM
     * @param backends what kernels can run on, the first by default
     * @param permutesCompiled whether permutes of two vectors are compiled to instructions
     * @param reading how fast memory is read, for one thread and for all; empty if it was not measured
     * @param openCl OpenCL devices
     * @param openClObstacle why there is none; empty if there is one
     */
    record Devices(
            Map<String, String> environment,
            List<Backend> backends,
            boolean permutesCompiled,
            List<ReadSpeed> reading,
            List<String> openCl,
            String openClObstacle) {}

    @Override
    public Integer call() {
        Devices devices = look();
        Environment here = KernelTuner.environment();
        List<String> lines = new ArrayList<>();
        lines.add("processor: " + here.processor() + ", " + here.processors()
                + (here.processors() == 1 ? " processor" : " processors"));
        lines.add("vectors:   " + (here.vectorBits() == 0
                ? "none; add --add-modules jdk.incubator.vector to the java command"
                : here.vectorBits() + " bits preferred, " + here.vectorBits() / Float.SIZE
                        + " numbers of float32; permutes of two vectors are "
                        + (devices.permutesCompiled() ? "compiled to instructions" : "not compiled to instructions")));
        lines.add("kernels:   "
                + devices.backends().stream().map(DevicesCommand::name).collect(Collectors.joining(", ")));
        devices.reading().forEach(speed -> lines.add("reading:   " + speed.line()));
        lines.add("java:      " + here.vm() + " " + here.javaVersion()
                + (here.vmFlags().isEmpty() ? "" : " " + here.vmFlags()));
        devices.openCl().forEach(device -> lines.add("OpenCL:    " + device));
        if (devices.openCl().isEmpty()) {
            lines.add("OpenCL:    none; " + devices.openClObstacle());
        }
        output.text(lines);
        output.json(devices);
        return 0;
    }

    private Devices look() {
        Environment here = KernelTuner.environment();
        List<String> openCl = new ArrayList<>();
        String obstacle = "";
        try {
            OpenClDevices.find().all().stream().map(OpenClDevice::describe).forEach(openCl::add);
        } catch (OpenClException absent) {
            obstacle = absent.getMessage();
        }
        return new Devices(
                here.manifest(),
                backends(openCl.isEmpty()),
                here.vectorBits() > 0 && KernelTuner.permutesCompiled(),
                here.vectorBits() > 0 && !noReading ? reading(here.processors()) : List.of(),
                openCl,
                obstacle);
    }

    /** Asks the ladder of a specification that is generated for vectors of all widths. */
    private static List<Backend> backends(boolean noDevices) {
        Stream<Backend> onProcessor = new KernelTuner(Attune.provider(Llama31Attention.class))
                .ladder().stream()
                        .filter(rung -> rung.supported() && rung.backend() != Backend.OPENCL)
                        .map(Rung::backend)
                        .distinct();
        return Stream.concat(noDevices ? Stream.empty() : Stream.of(Backend.OPENCL), onProcessor).toList();
    }

    private static String name(Backend backend) {
        return backend.name().toLowerCase(Locale.ROOT).replace("_", "");
    }

    private static List<ReadSpeed> reading(int processors) {
        List<ReadSpeed> speeds = new ArrayList<>();
        for (int threads : processors == 1 ? List.of(1) : List.of(1, processors)) {
            try (ReadBandwidth reading = ReadBandwidth.on(threads, READING)) {
                speeds.add(ReadSpeed.of(reading));
            }
        }
        return speeds;
    }
}
