package dev.attune.runtime.opencl;

import static dev.attune.runtime.opencl.OpenClKernel.Parameter.number;
import static dev.attune.runtime.opencl.OpenClKernel.Parameter.pointer;

import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.spi.OpenClKernels;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The OpenCL program of one specification, built for one device: its kernels by name, as {@link OpenClKernels}
 * describes them. All caches of that specification on that device share it.
 *
 * <p>On NVIDIA devices of compute capability 9.0 and up it is the one written for them, unless the system property
 * {@code attune.opencl.path} is {@code portable} or that program does not build, which is logged.
 */
public final class LayerProgram implements AutoCloseable {

    /** The system property that, set to {@code portable}, keeps programs written for one vendor's devices away. */
    public static final String PATH_PROPERTY = "attune.opencl.path";

    private static final Logger LOGGER = System.getLogger("dev.attune");

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;
    private static final int LANES = 32;
    private static final int NVIDIA_CAPABILITY = 9;

    private static final Pattern UNROLLING = Pattern.compile("^ *#pragma unroll.*$", Pattern.MULTILINE);

    /** Work-items of a work-group of {@code merge}, which has one for every 32 channels. */
    private static final int MERGE_ITEMS = 256;

    /** The most splits that are merged at once by a fused decode step. */
    private static final int SPLITS_OF_A_MERGE = 16;

    private final LayerShape shape;
    private final CacheLayout layout;
    private final OpenClKernels kernels;
    private final Optional<OpenClKernels.FusedAttend> fused;
    private final OpenClProgram program;
    private final OpenClKernel scoreChannels;
    private final OpenClKernel packKeys;
    private final OpenClKernel packValues;
    private final OpenClKernel storeDense;
    private final OpenClKernel loadDense;
    private final OpenClKernel importTiles;
    private final OpenClKernel exportTiles;
    private final OpenClKernel arrangeTiles;
    private final OpenClKernel attend;
    private final OpenClKernel merge;
    private final DeviceBuffer receipt;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment receiptRead = arena.allocate(ValueLayout.JAVA_INT);
    private int launches;

    private LayerProgram(
            OpenClProgram program,
            LayerShape shape,
            CacheLayout layout,
            OpenClKernels kernels,
            Optional<OpenClKernels.FusedAttend> fused) {
        this.program = program;
        this.fused = fused;
        this.shape = shape;
        this.layout = layout;
        this.kernels = kernels;
        this.receipt = program.allocate(Integer.BYTES, "the receipts of kernels");
        this.scoreChannels = kernel("score_channels", pointer("queries"), pointer("scales"), number("positions"));
        this.packKeys = kernel(
                "pack_keys",
                pointer("keys"), pointer("scales"), pointer("packed"),
                number("first"), number("count"), number("stride"));
        this.packValues = kernel(
                "pack_values",
                pointer("values"), pointer("packed"), number("first"), number("count"), number("stride"));
        this.storeDense = kernel(
                "store_dense",
                pointer("key"), pointer("value"), pointer("dense"), number("tile"), number("token"), number("stride"));
        this.loadDense = kernel(
                "load_dense", pointer("dense"), pointer("keys"), pointer("values"), number("tile"), number("stride"));
        this.importTiles = kernel(
                "import_tiles",
                pointer("tiles"), pointer("packed"), number("first"), number("count"), number("stride"));
        this.exportTiles = kernel(
                "export_tiles",
                pointer("packed"), pointer("tiles"), number("first"), number("count"), number("stride"));
        this.arrangeTiles = kernels.nvidia().filter(OpenClKernels.FusedAttend::arranged).isPresent()
                ? kernel(
                        "arrange_tiles",
                        pointer("packed"), number("first"), number("count"), number("stride"))
                : null;
        if (fused.isPresent()) {
            this.attend = program.kernel(
                    "attend",
                    List.of(
                            pointer("queries"), pointer("scales"), pointer("packed"), pointer("dense"),
                            pointer("partials"), pointer("arrivals"), pointer("results"), number("packedTokens"),
                            number("denseTokens"), number("packedStride"), number("denseStride"), number("splits"),
                            number("clusterSize"), number("launch")));
            this.merge = null;
        } else {
            this.attend = kernel(
                    "attend",
                    pointer("queries"), pointer("scales"), pointer("packed"), pointer("dense"), pointer("partials"),
                    number("packedTokens"), number("denseTokens"), number("packedStride"), number("denseStride"),
                    number("splits"));
            this.merge = program.kernel(
                    "merge", List.of(pointer("partials"), pointer("results"), pointer("receipt"), number("parts")));
        }
    }

    /**
     * Builds the program for a device.
     *
     * @throws OpenClException if it does not compile there, or a kernel needs more than the device has
     */
    public static LayerProgram build(
            OpenClDevice device, LayerShape shape, CacheLayout layout, OpenClKernels kernels) {
        if (device.nvidiaCapability() >= NVIDIA_CAPABILITY
                && kernels.nvidia().isPresent()
                && !"portable".equals(System.getProperty(PATH_PROPERTY))) {
            try {
                return build(device, shape, layout, kernels, kernels.nvidia());
            } catch (OpenClException failure) {
                LOGGER.log(
                        Level.WARNING,
                        "the portable OpenCL program is used on " + device.name()
                                + ", since the one for NVIDIA devices cannot be",
                        failure);
            }
        }
        return build(device, shape, layout, kernels, Optional.empty());
    }

    private static LayerProgram build(
            OpenClDevice device,
            LayerShape shape,
            CacheLayout layout,
            OpenClKernels kernels,
            Optional<OpenClKernels.FusedAttend> fused) {
        String source = fused.map(OpenClKernels.FusedAttend::source).orElseGet(kernels::source);
        if (device.kind() == OpenClDevice.Kind.CPU) {
            // Processors have too few registers to gain from unrolled loops, and take twice as long to compile them.
            source = UNROLLING.matcher(source).replaceAll("");
        }
        OpenClProgram program = OpenClProgram.build(device, source);
        try {
            return new LayerProgram(program, shape, layout, kernels, fused);
        } catch (OpenClException failure) {
            program.close();
            throw failure;
        }
    }

    /** Every kernel but the last ends with where to leave the sign that it ran, and what to write there. */
    private OpenClKernel kernel(String name, OpenClKernel.Parameter... parameters) {
        List<OpenClKernel.Parameter> all = new ArrayList<>(List.of(parameters));
        all.add(pointer("receipt"));
        all.add(number("launch"));
        return program.kernel(name, all);
    }

    /** Returns the program, for its buffers and its times. */
    public OpenClProgram program() {
        return program;
    }

    OpenClKernels kernels() {
        return kernels;
    }

    LayerShape shape() {
        return shape;
    }

    CacheLayout layout() {
        return layout;
    }

    void scoreChannels(int heads, DeviceBuffer queries, int positions, DeviceBuffer scales) {
        run(scoreChannels, heads, TILE_TOKENS, queries, scales, positions);
    }

    void packKeys(
            int heads, DeviceBuffer keys, DeviceBuffer scales, DeviceBuffer packed, int first, int count, int stride) {
        run(packKeys, heads * count, TILE_TOKENS, keys, scales, packed, first, count, stride);
    }

    void packValues(int heads, DeviceBuffer values, DeviceBuffer packed, int first, int count, int stride) {
        run(packValues, heads * count, TILE_TOKENS, values, packed, first, count, stride);
    }

    void storeDense(
            int heads, DeviceBuffer key, DeviceBuffer value, DeviceBuffer dense, int tile, int token, int stride) {
        run(storeDense, heads, TILE_TOKENS, key, value, dense, tile, token, stride);
    }

    void loadDense(int heads, DeviceBuffer dense, DeviceBuffer keys, DeviceBuffer values, int tile, int stride) {
        run(loadDense, heads, TILE_TOKENS, dense, keys, values, tile, stride);
    }

    void importTiles(int heads, DeviceBuffer tiles, DeviceBuffer packed, int first, int count, int stride) {
        run(importTiles, heads * count, TILE_TOKENS, tiles, packed, first, count, stride);
    }

    /** Returns whether tiles are to be arranged once they are stored. */
    boolean arranged() {
        return fused.filter(OpenClKernels.FusedAttend::arranged).isPresent();
    }

    void arrangeTiles(int heads, DeviceBuffer packed, int first, int count, int stride) {
        run(arrangeTiles, heads * count, TILE_TOKENS, packed, first, count, stride);
    }

    void exportTiles(int heads, DeviceBuffer packed, DeviceBuffer tiles, int first, int count, int stride) {
        run(exportTiles, heads * count, TILE_TOKENS, packed, tiles, first, count, stride);
    }

    /**
     * Puts into a queue what attends and merges the splits. What is left after the results is the number returned, if
     * all of it ran.
     *
     * @return the number to be found in the results
     */
    int attend(
            CommandQueue queue,
            int heads,
            DeviceBuffer queries,
            DeviceBuffer scales,
            DeviceBuffer packed,
            DeviceBuffer dense,
            DeviceBuffer partials,
            DeviceBuffer arrivals,
            DeviceBuffer results,
            int packedTokens,
            int denseTokens,
            int packedStride,
            int denseStride,
            int splits) {
        launches++;
        if (fused.isPresent()) {
            attend.launch(
                    queue, heads * passes() * splits, LANES * teams(),
                    queries, scales, packed, dense, partials, arrivals, results, packedTokens, denseTokens,
                    packedStride, denseStride, splits, clusterSize(splits), launches);
            return launches;
        }
        attend.launch(
                queue, heads * passes() * splits, LANES * teams(),
                queries, scales, packed, dense, partials,
                packedTokens, denseTokens, packedStride, denseStride, splits, receipt, launches);
        int slices = Math.ceilDiv(shape.headDim(), LANES);
        merge.launch(
                queue, heads * passes() * slices, MERGE_ITEMS, partials, results, receipt, splits * teams());
        return launches;
    }

    /** Returns whether a decode step is one launch. */
    public boolean isFused() {
        return fused.isPresent();
    }

    /** Returns how many splits of the tokens a decode step has: enough for all compute units, a tile each at least. */
    int splits(int heads, int tiles) {
        OpenClDevice device = program.device();
        int rows = heads * passes();
        if (fused.isPresent()) {
            // No more groups than there is room for at once: one that came late would take as long as all others.
            return Math.clamp(device.computeUnits() * fused.get().groupsPerUnit() / rows, 1, Math.max(1, tiles));
        }
        int groups = device.kind() == OpenClDevice.Kind.GPU
                ? device.computeUnits() * kernels.groupsPerUnit()
                : device.computeUnits();
        return Math.clamp(groups / rows, 1, Math.max(1, Math.ceilDiv(tiles, teams())));
    }

    /** Returns the bytes of the partial results of so many splits, or fewer. */
    long partialBytes(int heads, int splits) {
        // Clusters are most where splits are one more than are merged at once.
        long parts = fused.isPresent() ? 2L * splits : (long) splits * teams();
        return heads * passes() * parts * headsPerPass() * (shape.headDim() + 2L) * Float.BYTES;
    }

    /** Returns the bytes of the counters of arrivals of so many splits, or fewer. */
    long arrivalBytes(int heads, int splits) {
        return (long) heads * passes() * (splits + 1) * Integer.BYTES;
    }

    private static int clusterSize(int splits) {
        return splits <= SPLITS_OF_A_MERGE ? splits : (int) Math.ceil(Math.sqrt(splits));
    }

    private int passes() {
        return Math.ceilDiv(shape.groupSize(), headsPerPass());
    }

    private int headsPerPass() {
        return fused.map(OpenClKernels.FusedAttend::headsPerPass).orElseGet(kernels::headsPerPass);
    }

    private int teams() {
        return fused.map(OpenClKernels.FusedAttend::teams).orElseGet(kernels::teams);
    }

    /** Launches a kernel, and makes sure that it ran: Aparapi tells of no failure. */
    private void run(OpenClKernel kernel, int groups, int items, Object... arguments) {
        program.exclusively(() -> {
            launches++;
            Object[] all = Arrays.copyOf(arguments, arguments.length + 2);
            all[arguments.length] = receipt;
            all[arguments.length + 1] = launches;
            kernel.launch(groups, items, all);
            receipt.read(0, receiptRead);
            requireRan(receiptRead.get(ValueLayout.JAVA_INT, 0), launches, kernel.name());
            return null;
        });
    }

    /** Checks what a launch left behind. */
    void requireRan(int found, int launch, String kernel) {
        if (found != launch) {
            throw new OpenClException("kernel " + kernel + " did not run on " + program.device().name()
                    + ": it left " + found + ", not " + launch
                    + "; what Aparapi printed to the standard error stream may tell why");
        }
    }

    /** Frees the program. Caches that use it must have been closed before. */
    @Override
    public void close() {
        receipt.close();
        program.close();
        arena.close();
    }
}
