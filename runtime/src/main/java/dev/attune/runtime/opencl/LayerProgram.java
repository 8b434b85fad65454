package dev.attune.runtime.opencl;

import static dev.attune.runtime.opencl.OpenClKernel.Parameter.number;
import static dev.attune.runtime.opencl.OpenClKernel.Parameter.pointer;

import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.spi.OpenClKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The OpenCL program of one specification, built for one device: its kernels by name, as {@link OpenClKernels} describes
 * them. All caches of that specification on that device share it.
 */
public final class LayerProgram implements AutoCloseable {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;
    private static final int LANES = 32;

    private final LayerShape shape;
    private final CacheLayout layout;
    private final OpenClKernels kernels;
    private final OpenClProgram program;
    private final OpenClKernel scoreChannels;
    private final OpenClKernel packKeys;
    private final OpenClKernel packValues;
    private final OpenClKernel storeDense;
    private final OpenClKernel loadDense;
    private final OpenClKernel importTiles;
    private final OpenClKernel exportTiles;
    private final OpenClKernel attend;
    private final OpenClKernel merge;
    private final DeviceBuffer receipt;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment receiptRead = arena.allocate(ValueLayout.JAVA_INT);
    private int launches;

    private LayerProgram(OpenClProgram program, LayerShape shape, CacheLayout layout, OpenClKernels kernels) {
        this.program = program;
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
                "pack_values", pointer("values"), pointer("packed"), number("first"), number("count"), number("stride"));
        this.storeDense = kernel(
                "store_dense",
                pointer("key"), pointer("value"), pointer("dense"), number("tile"), number("token"), number("stride"));
        this.loadDense = kernel(
                "load_dense", pointer("dense"), pointer("keys"), pointer("values"), number("tile"), number("stride"));
        this.importTiles = kernel(
                "import_tiles", pointer("tiles"), pointer("packed"), number("first"), number("count"), number("stride"));
        this.exportTiles = kernel(
                "export_tiles", pointer("packed"), pointer("tiles"), number("first"), number("count"), number("stride"));
        this.attend = kernel(
                "attend",
                pointer("queries"), pointer("scales"), pointer("packed"), pointer("dense"), pointer("partials"),
                number("packedTokens"), number("denseTokens"), number("packedStride"), number("denseStride"),
                number("splits"));
        this.merge = program.kernel(
                "merge", List.of(pointer("partials"), pointer("results"), pointer("receipt"), number("parts")));
    }

    /**
     * Builds the program for a device.
     *
     * @throws OpenClException if it does not compile there, or a kernel needs more than the device has
     */
    public static LayerProgram build(
            OpenClDevice device, LayerShape shape, CacheLayout layout, OpenClKernels kernels) {
        OpenClProgram program = OpenClProgram.build(device, kernels.source());
        try {
            return new LayerProgram(program, shape, layout, kernels);
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

    void exportTiles(int heads, DeviceBuffer packed, DeviceBuffer tiles, int first, int count, int stride) {
        run(exportTiles, heads * count, TILE_TOKENS, packed, tiles, first, count, stride);
    }

    /**
     * Attends and merges the splits. What {@code merge} leaves after the results is the number returned, if both ran.
     *
     * @return the number to be found in the results
     */
    int attend(
            int heads,
            DeviceBuffer queries,
            DeviceBuffer scales,
            DeviceBuffer packed,
            DeviceBuffer dense,
            DeviceBuffer partials,
            DeviceBuffer results,
            int packedTokens,
            int denseTokens,
            int packedStride,
            int denseStride,
            int splits) {
        launches++;
        attend.launch(
                heads * passes() * splits, LANES * kernels.teams(),
                queries, scales, packed, dense, partials,
                packedTokens, denseTokens, packedStride, denseStride, splits, receipt, launches);
        merge.launch(heads * passes(), TILE_TOKENS, partials, results, receipt, splits * kernels.teams());
        return launches;
    }

    /** Returns how many passes serve the query heads of a key-value head. */
    int passes() {
        return Math.ceilDiv(shape.groupSize(), kernels.headsPerPass());
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
