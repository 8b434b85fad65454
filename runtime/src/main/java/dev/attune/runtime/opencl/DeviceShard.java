package dev.attune.runtime.opencl;

import dev.attune.runtime.spi.CacheLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The memory that some key-value heads of a cache take on one device, and what can be done with it. Heads are numbered
 * from 0 within the shard, and so are the query heads that share them.
 *
 * <p>One operation runs at a time; those of several shards on one device wait for one another.
 */
public final class DeviceShard implements AutoCloseable {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    /** Prompts are packed a piece at a time; a piece of keys, and one of values, takes about that many bytes. */
    private static final long PIECE_BYTES = 32L << 20;

    private final LayerProgram program;
    private final int heads;
    private final int headDim;
    private final int queryHeads;
    private final int packedTiles;
    private final int denseTiles;
    private final List<DeviceBuffer> buffers = new ArrayList<>();
    private final DeviceBuffer scales;
    private final DeviceBuffer packed;
    private final DeviceBuffer dense;
    private final DeviceBuffer queries;
    private final DeviceBuffer partials;
    private final DeviceBuffer arrivals;
    private final DeviceBuffer results;
    private final DeviceBuffer tileKeys;
    private final DeviceBuffer tileValues;
    private final Arena arena = Arena.ofShared();
    private final List<PinnedMemory> pinned = new ArrayList<>();
    private final MemorySegment hostQueries;
    private final MemorySegment hostResults;
    private final MemorySegment hostToken;

    /** The number of the launch under way, if any. */
    private int launch;

    /**
     * Allocates the memory.
     *
     * @param program the program of the layer on the device
     * @param heads key-value heads of the shard
     * @param packedTiles room for packed tiles per head, at least 0
     * @param denseTiles room for dense tiles per head, at least 1
     * @throws OpenClException if the device has not that much memory; nothing stays allocated then
     */
    public DeviceShard(LayerProgram program, int heads, int packedTiles, int denseTiles) {
        this.program = program;
        this.heads = heads;
        this.headDim = program.shape().headDim();
        this.queryHeads = heads * program.shape().groupSize();
        this.packedTiles = Math.max(1, packedTiles);
        this.denseTiles = denseTiles;
        int mostSplits = program.splits(heads, this.packedTiles + denseTiles);
        long tile = (long) heads * TILE_TOKENS * headDim * Float.BYTES;
        try {
            this.scales = allocate((long) heads * headDim * Float.BYTES, "channel scales");
            this.packed = allocate((long) heads * this.packedTiles * program.kernels().tileBytes(), "packed tiles");
            this.dense = allocate((long) heads * denseTiles * program.kernels().denseTileBytes(), "dense tiles");
            this.queries = allocate((long) queryHeads * headDim * Float.BYTES, "queries");
            this.partials = allocate(program.partialBytes(heads, mostSplits), "partial results");
            this.arrivals = allocate(program.arrivalBytes(heads, mostSplits), "counters of arrivals");
            this.results = allocate((queryHeads * (headDim + 1L) + 1) * Float.BYTES, "results");
            this.tileKeys = allocate(tile, "a tile of keys");
            this.tileValues = allocate(tile, "a tile of values");
            this.hostQueries = pin(queries.bytes(), "queries");
            this.hostResults = pin(results.bytes(), "results");
        } catch (OpenClException failure) {
            close();
            throw failure;
        }
        this.hostToken = arena.allocate(2L * heads * headDim * Float.BYTES, Float.BYTES);
    }

    private DeviceBuffer allocate(long bytes, String purpose) {
        DeviceBuffer buffer = program.program().allocate(bytes, purpose + " of a cache");
        buffers.add(buffer);
        return buffer;
    }

    private MemorySegment pin(long bytes, String purpose) {
        PinnedMemory memory = program.program().pin(bytes, purpose + " of a cache", arena);
        pinned.add(memory);
        return memory.segment();
    }

    /** Returns the number of key-value heads. */
    public int heads() {
        return heads;
    }

    /** Returns the bytes of device memory that all buffers take. */
    public long bytes() {
        return buffers.stream().mapToLong(DeviceBuffer::bytes).sum();
    }

    /**
     * Sets the channel scales.
     *
     * @param numbers {@code [heads][headDim]} from {@code offset} on
     */
    public void writeScales(float[] numbers, int offset) {
        exclusively(() -> {
            try (Arena staging = Arena.ofConfined()) {
                scales.write(0, staging.allocateFrom(ValueLayout.JAVA_FLOAT, slice(numbers, offset, heads * headDim)));
            }
        });
    }

    /** Returns the channel scales {@code [heads][headDim]}. */
    public float[] readScales() {
        float[] numbers = new float[heads * headDim];
        exclusively(() -> {
            try (Arena staging = Arena.ofConfined()) {
                MemorySegment read = staging.allocate(scales.bytes(), Float.BYTES);
                scales.read(0, read);
                MemorySegment.copy(read, ValueLayout.JAVA_FLOAT, 0, numbers, 0, numbers.length);
            }
        });
        return numbers;
    }

    /**
     * Computes the channel scales from the window's queries.
     *
     * @param windowQueries {@code [queryHeads][positions][headDim]} from {@code offset} on
     * @param positions positions of the window, at least 1
     */
    public void scoreChannels(float[] windowQueries, int offset, int positions) {
        exclusively(() -> {
            int numbers = queryHeads * positions * headDim;
            try (Arena staging = Arena.ofConfined();
                    DeviceBuffer window =
                            program.program().allocate((long) numbers * Float.BYTES, "the window's queries")) {
                window.write(0, staging.allocateFrom(ValueLayout.JAVA_FLOAT, slice(windowQueries, offset, numbers)));
                program.scoreChannels(heads, window, positions, scales);
            }
        });
    }

    /**
     * Source of a prompt's tiles.
     *
     * @see #pack
     */
    @FunctionalInterface
    public interface Tiles {

        /**
         * Copies the 64 tokens of a tile, {@code [64][headDim]} float32 each, to the segments from {@code offset} on.
         */
        void copy(int head, int tile, MemorySegment keys, MemorySegment values, long offset);
    }

    /**
     * Prunes and packs tiles on the device, from the first on.
     *
     * @param count tiles of every head
     * @param tiles where the tokens come from
     */
    public void pack(int count, Tiles tiles) {
        long tileBytes = (long) TILE_TOKENS * headDim * Float.BYTES;
        int piece = Math.clamp(PIECE_BYTES / (tileBytes * heads), 1, Math.max(1, count));
        exclusively(() -> {
            try (Arena staging = Arena.ofConfined();
                    DeviceBuffer keys = program.program().allocate(heads * piece * tileBytes, "a prompt's keys");
                    DeviceBuffer values = program.program().allocate(heads * piece * tileBytes, "a prompt's values")) {
                MemorySegment hostKeys = staging.allocate(keys.bytes(), Float.BYTES);
                MemorySegment hostValues = staging.allocate(values.bytes(), Float.BYTES);
                for (int first = 0; first < count; first += piece) {
                    int some = Math.min(piece, count - first);
                    for (int i = 0; i < heads * some; i++) {
                        tiles.copy(i / some, first + i % some, hostKeys, hostValues, i * tileBytes);
                    }
                    keys.write(0, hostKeys.asSlice(0, heads * some * tileBytes));
                    values.write(0, hostValues.asSlice(0, heads * some * tileBytes));
                    program.packKeys(heads, keys, scales, packed, first, some, packedTiles);
                    program.packValues(heads, values, packed, first, some, packedTiles);
                    arrangeTiles(first, some);
                }
            }
        });
    }

    /**
     * Stores tiles that were packed in host memory.
     *
     * @param first first tile of every head
     * @param count tiles of every head
     * @param tiles {@code [heads][count]} packed tiles, in native memory
     */
    public void importTiles(int first, int count, MemorySegment tiles) {
        exclusively(() -> {
            try (DeviceBuffer staging = program.program().allocate(tiles.byteSize(), "tiles of host memory")) {
                staging.write(0, tiles);
                program.importTiles(heads, staging, packed, first, count, packedTiles);
                arrangeTiles(first, count);
            }
        });
    }

    private void arrangeTiles(int first, int count) {
        if (program.arranged()) {
            arrange(first, count);
        }
    }

    /** Arranges tiles for look-ups, whether or not the program's decode step is one that gains by it. */
    void arrange(int first, int count) {
        exclusively(() -> program.arrangeTiles(heads, packed, first, count, packedTiles));
    }

    /** Returns the packed tiles. */
    DeviceBuffer packed() {
        return packed;
    }

    /**
     * Reads packed tiles of one head, in the order of host memory.
     *
     * @param head the head
     * @param first first tile
     * @param count number of tiles, at least 1
     * @param tiles receives {@code [count]} tiles, in native memory
     */
    public void exportTiles(int head, int first, int count, MemorySegment tiles) {
        exclusively(() -> {
            try (DeviceBuffer staging = program.program().allocate(tiles.byteSize(), "tiles for host memory")) {
                program.exportTiles(1, packed, staging, head * packedTiles + first, count, packedTiles);
                staging.read(0, tiles);
            }
        });
    }

    /**
     * Stores one token in a dense tile.
     *
     * @param key {@code [heads][headDim]} from {@code offset} on
     * @param value {@code [heads][headDim]} from {@code offset} on
     * @param tile the dense tile
     * @param token place of the token in it, 0 to 63
     */
    public void storeDense(float[] key, float[] value, int offset, int tile, int token) {
        exclusively(() -> {
            long bytes = (long) heads * headDim * Float.BYTES;
            MemorySegment.copy(key, offset, hostToken, ValueLayout.JAVA_FLOAT, 0, heads * headDim);
            MemorySegment.copy(value, offset, hostToken, ValueLayout.JAVA_FLOAT, bytes, heads * headDim);
            tileKeys.write(0, hostToken.asSlice(0, bytes));
            tileValues.write(0, hostToken.asSlice(bytes, bytes));
            program.storeDense(heads, tileKeys, tileValues, dense, tile, token, denseTiles);
        });
    }

    /**
     * Prunes and packs a full dense tile.
     *
     * @param denseTile the dense tile
     * @param packedTile where to
     */
    public void packDense(int denseTile, int packedTile) {
        exclusively(() -> {
            program.loadDense(heads, dense, tileKeys, tileValues, denseTile, denseTiles);
            program.packKeys(heads, tileKeys, scales, packed, packedTile, 1, packedTiles);
            program.packValues(heads, tileValues, packed, packedTile, 1, packedTiles);
            arrangeTiles(packedTile, 1);
        });
    }

    /**
     * Reads a dense tile of one head.
     *
     * @param keys receives {@code [64][headDim]}
     * @param values receives {@code [64][headDim]}
     */
    public void loadDense(int head, int tile, float[] keys, float[] values) {
        exclusively(() -> {
            program.loadDense(1, dense, tileKeys, tileValues, head * denseTiles + tile, denseTiles);
            try (Arena staging = Arena.ofConfined()) {
                MemorySegment read = staging.allocate((long) TILE_TOKENS * headDim * Float.BYTES, Float.BYTES);
                tileKeys.read(0, read);
                MemorySegment.copy(read, ValueLayout.JAVA_FLOAT, 0, keys, 0, TILE_TOKENS * headDim);
                tileValues.read(0, read);
                MemorySegment.copy(read, ValueLayout.JAVA_FLOAT, 0, values, 0, TILE_TOKENS * headDim);
            }
        });
    }

    /**
     * One decode step of this shard alone; see {@link #attend(List, float[], int, int, float[], float[])}.
     *
     * @param queries {@code [queryHeads][headDim]}
     * @param output {@code [queryHeads][headDim]}, written; may be {@code queries}
     * @param logSumExp {@code [queryHeads]}, written; or null
     */
    public void attend(float[] queries, int packedTokens, int denseTokens, float[] output, float[] logSumExp) {
        attend(List.of(this), queries, packedTokens, denseTokens, output, logSumExp);
    }

    /**
     * One decode step over at least one token: all devices are at work before one is waited for. If one fails, nothing
     * is written.
     *
     * @param shards those of a cache, in the order of their heads; their programs are in the same order in every call
     * @param queries the queries of all shards {@code [queryHeads][headDim]}
     * @param packedTokens tokens in packed tiles of every head
     * @param denseTokens tokens in dense tiles of every head
     * @param output {@code [queryHeads][headDim]}, written; may be {@code queries}
     * @param logSumExp {@code [queryHeads]}, written; or null
     */
    public static void attend(
            List<DeviceShard> shards,
            float[] queries,
            int packedTokens,
            int denseTokens,
            float[] output,
            float[] logSumExp) {
        attend(shards, 0, 0, queries, packedTokens, denseTokens, () -> {
            // One thread does it all, a device after the other: what can wait comes when all kernels are under way.
            shards.forEach(DeviceShard::startReading);
            shards.forEach(DeviceShard::await);
            int firstQuery = 0;
            for (DeviceShard shard : shards) {
                shard.copyResults(firstQuery, output, logSumExp);
                firstQuery += shard.queryHeads;
            }
        });
    }

    /** Starts the step of one shard and those of all after it; runs what follows with all devices reserved. */
    private static void attend(
            List<DeviceShard> shards,
            int index,
            int firstQuery,
            float[] queries,
            int packedTokens,
            int denseTokens,
            Runnable whenStarted) {
        if (index == shards.size()) {
            whenStarted.run();
            return;
        }
        DeviceShard shard = shards.get(index);
        shard.exclusively(() -> shard.program.program().queue(queue -> {
            shard.start(queue, queries, firstQuery, packedTokens, denseTokens);
            int next = firstQuery + shard.queryHeads;
            attend(shards, index + 1, next, queries, packedTokens, denseTokens, whenStarted);
        }));
    }

    private void start(CommandQueue queue, float[] allQueries, int firstQuery, int packedTokens, int denseTokens) {
        MemorySegment.copy(
                allQueries, firstQuery * headDim, hostQueries, ValueLayout.JAVA_FLOAT, 0, queryHeads * headDim);
        queue.write(queries, hostQueries);
        launch(queue, packedTokens, denseTokens);
        queue.flush();
    }

    private void launch(CommandQueue queue, int packedTokens, int denseTokens) {
        int tiles = Math.ceilDiv(packedTokens, TILE_TOKENS) + Math.ceilDiv(denseTokens, TILE_TOKENS);
        launch = program.attend(
                queue, heads, queries, scales, packed, dense, partials, arrivals, results, packedTokens, denseTokens,
                packedTiles, denseTiles, program.splits(heads, tiles));
    }

    /**
     * Runs the kernels of a decode step of every shard, one right after the other, with the queries of its last step:
     * what there is to time. Results stay on the device.
     *
     * @param shards shards of one program
     */
    public static void repeat(List<DeviceShard> shards, int packedTokens, int denseTokens) {
        shards.getFirst().exclusively(() -> shards.getFirst().program.program().queue(queue -> {
            shards.forEach(shard -> shard.launch(queue, packedTokens, denseTokens));
            queue.finish();
        }));
    }

    private void startReading() {
        program.program().queue(queue -> {
            queue.read(results, hostResults);
            queue.flush();
        });
    }

    private void await() {
        program.program().queue(CommandQueue::finish);
        long receipt = queryHeads * (headDim + 1L) * Float.BYTES;
        program.requireRan(hostResults.get(ValueLayout.JAVA_INT, receipt), launch, "attend or merge");
    }

    private void copyResults(int firstQuery, float[] output, float[] logSumExp) {
        int numbers = queryHeads * headDim;
        MemorySegment.copy(hostResults, ValueLayout.JAVA_FLOAT, 0, output, firstQuery * headDim, numbers);
        if (logSumExp != null) {
            long sums = (long) numbers * Float.BYTES;
            MemorySegment.copy(hostResults, ValueLayout.JAVA_FLOAT, sums, logSumExp, firstQuery, queryHeads);
        }
    }

    private void exclusively(Runnable commands) {
        program.program().exclusively(() -> {
            commands.run();
            return null;
        });
    }

    private static float[] slice(float[] numbers, int offset, int length) {
        return Arrays.copyOfRange(numbers, offset, offset + length);
    }

    /** Frees the memory. Closing a closed shard has no effect. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        pinned.forEach(PinnedMemory::close);
        buffers.forEach(DeviceBuffer::close);
    }
}
