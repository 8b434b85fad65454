package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.opencl.DeviceShard;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Holds a cache's tokens in the memory of OpenCL devices, its heads shared out evenly among them. A decode step moves
 * the queries in and the results out, and nothing else.
 */
final class DeviceStore implements TokenStore {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    private static final ValueLayout.OfFloat FLOAT32 = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** The system property that says where prompts are packed: {@code device}, the default, or {@code host}. */
    static final String PACK_PROPERTY = "attune.opencl.pack";

    /** Prompts packed in host memory are uploaded in pieces of about so many bytes. */
    private static final long PIECE_BYTES = 32L << 20;

    private enum Packing {
        DEVICE,
        HOST;

        static Packing chosen() {
            String name = System.getProperty(PACK_PROPERTY, "device");
            return switch (name) {
                case "device" -> DEVICE;
                case "host" -> HOST;
                default -> throw new IllegalArgumentException(
                        PACK_PROPERTY + " = \"" + name + "\" is neither \"device\" nor \"host\"");
            };
        }
    }

    private final Packing packing = Packing.chosen();
    private final KernelProvider provider;
    private final LayerShape shape;
    private final CacheGeometry geometry;
    private final int threads;
    private final List<DeviceShard> shards = new ArrayList<>();

    /**
     * Allocates the memory.
     *
     * @param programs the layer's program on each device; at most as many as there are key-value heads are used
     * @param threads how many threads may work on caches
     * @throws OpenClException if a device has not that much memory; nothing stays allocated then
     */
    DeviceStore(KernelProvider provider, List<LayerProgram> programs, CacheGeometry geometry, int threads) {
        this.provider = provider;
        this.shape = provider.shape();
        this.geometry = geometry;
        this.threads = threads;
        int devices = Math.min(programs.size(), shape.keyValueHeads());
        try {
            for (int i = 0; i < devices; i++) {
                int heads = firstHead(i + 1, devices) - firstHead(i, devices);
                shards.add(new DeviceShard(programs.get(i), heads, geometry.packedTiles(), geometry.denseTiles()));
            }
        } catch (OpenClException failure) {
            close();
            throw failure;
        }
    }

    private int firstHead(int shard, int devices) {
        return shard * shape.keyValueHeads() / devices;
    }

    private int firstHead(int shard) {
        return firstHead(shard, shards.size());
    }

    @Override
    public CacheContents nothing() {
        float[] scales = new float[shape.keyValueHeads() * shape.headDim()];
        Arrays.fill(scales, 1);
        return CacheContents.of(scales, 0, 0);
    }

    @Override
    public void become(CacheContents after) {
        for (int i = 0; i < shards.size(); i++) {
            shards.get(i).writeScales(after.scales(), firstHead(i) * shape.headDim());
        }
    }

    @Override
    public CacheContents prompt(
            MemorySegment keys, MemorySegment values, int tokens, float[] windowQueries, int positions) {
        try {
            return packed(keys, values, tokens, windowQueries, positions);
        } catch (RuntimeException failure) {
            // The devices may have the scales of a prompt that is not there.
            try {
                become(nothing());
            } catch (OpenClException another) {
                failure.addSuppressed(another);
            }
            throw failure;
        }
    }

    private CacheContents packed(
            MemorySegment keys, MemorySegment values, int tokens, float[] windowQueries, int positions) {
        int packed = shape.packGenerated() ? tokens / TILE_TOKENS * TILE_TOKENS : tokens;
        float[] scales = nothing().scales();
        for (int i = 0; i < shards.size(); i++) {
            DeviceShard shard = shards.get(i);
            int firstHead = firstHead(i);
            if (positions > 0) {
                int query = firstHead * shape.groupSize();
                shard.scoreChannels(windowQueries, query * positions * shape.headDim(), positions);
                float[] own = shard.readScales();
                System.arraycopy(own, 0, scales, firstHead * shape.headDim(), own.length);
            }
            DeviceShard.Tiles tiles = (head, tile, toKeys, toValues, offset) -> {
                copyTile(keys, toKeys, offset, firstHead + head, tile, packed, tokens);
                copyTile(values, toValues, offset, firstHead + head, tile, packed, tokens);
            };
            int count = Math.ceilDiv(packed, TILE_TOKENS);
            if (packing == Packing.HOST) {
                packOnHost(shard, firstHead, count, tiles, scales);
            } else {
                shard.pack(count, tiles);
            }
        }
        float[] key = new float[shape.keyValueHeads() * shape.headDim()];
        float[] value = new float[key.length];
        for (int token = packed; token < tokens; token++) {
            copyToken(keys, token, tokens, key);
            copyToken(values, token, tokens, value);
            storeDense(key, value, token - packed);
        }
        return CacheContents.of(scales, packed, tokens - packed);
    }

    /** Packs tiles in host memory, and uploads them a piece at a time. */
    private void packOnHost(DeviceShard shard, int firstHead, int count, DeviceShard.Tiles tiles, float[] scales) {
        AttentionKernels kernels = provider.create(Backend.SCALAR);
        int numbers = TILE_TOKENS * shape.headDim();
        int tileBytes = provider.layout().tileBytes();
        int piece = Math.clamp(PIECE_BYTES / ((long) tileBytes * shard.heads()), 1, Math.max(1, count));
        float[] keys = new float[numbers];
        float[] values = new float[numbers];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment packed = arena.allocate((long) shard.heads() * piece * tileBytes, CacheGeometry.ALIGNMENT);
            for (int first = 0; first < count; first += piece) {
                int some = Math.min(piece, count - first);
                for (int i = 0; i < shard.heads() * some; i++) {
                    int head = i / some;
                    tiles.copy(
                            head, first + i % some, MemorySegment.ofArray(keys), MemorySegment.ofArray(values), 0);
                    kernels.packKeys(firstHead + head, keys, scales, packed, (long) i * tileBytes);
                    kernels.packValues(values, packed, (long) i * tileBytes);
                }
                shard.importTiles(first, some, packed.asSlice(0, (long) shard.heads() * some * tileBytes));
            }
        }
    }

    /** Copies a tile; one with fewer tokens is filled up by repeating them. */
    private void copyTile(
            MemorySegment from, MemorySegment to, long offset, int head, int tile, int packed, int tokens) {
        long rowBytes = (long) shape.headDim() * Float.BYTES;
        int first = tile * TILE_TOKENS;
        int count = Math.min(TILE_TOKENS, packed - first);
        long source = ((long) head * tokens + first) * rowBytes;
        for (int token = 0; token < TILE_TOKENS; token += count) {
            int rows = Math.min(count, TILE_TOKENS - token);
            MemorySegment.copy(from, source, to, offset + token * rowBytes, rows * rowBytes);
        }
    }

    private void copyToken(MemorySegment from, int token, int tokens, float[] to) {
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            long source = ((long) head * tokens + token) * shape.headDim() * Float.BYTES;
            MemorySegment.copy(from, FLOAT32, source, to, head * shape.headDim(), shape.headDim());
        }
    }

    private void storeDense(float[] key, float[] value, int place) {
        for (int i = 0; i < shards.size(); i++) {
            shards.get(i)
                    .storeDense(
                            key, value, firstHead(i) * shape.headDim(), place / TILE_TOKENS, place % TILE_TOKENS);
        }
    }

    @Override
    public CacheContents token(CacheContents before, float[] key, float[] value) {
        storeDense(key, value, before.denseTokens());
        if (!shape.packGenerated() || before.denseTokens() + 1 < TILE_TOKENS) {
            return before.withOneMoreToken();
        }
        shards.forEach(shard -> shard.packDense(0, before.packedTiles()));
        return CacheContents.of(before.scales(), before.packedTokens() + TILE_TOKENS, 0);
    }

    @Override
    public void attend(CacheContents now, float[] queries, float[] output, float[] logSumExp) {
        if (now.tokens() == 0) {
            Arrays.fill(output, 0);
            if (logSumExp != null) {
                Arrays.fill(logSumExp, Float.NEGATIVE_INFINITY);
            }
            return;
        }
        long start = System.nanoTime();
        DeviceShard.attend(shards, queries, now.packedTokens(), now.denseTokens(), output, logSumExp);
        if (VerboseTopic.RUN.enabled()) {
            long micros = (System.nanoTime() - start) / 1000;
            VerboseTopic.RUN.print(
                    provider.specification().getName(),
                    threads,
                    now.tokens(),
                    provider.variant(Backend.OPENCL),
                    micros);
        }
    }

    @Override
    public void attend(CacheContents now, MemorySegment queries, MemorySegment output, MemorySegment logSumExp) {
        float[] own = queries.toArray(FLOAT32);
        InputChecks.requireFinite("queries", own, 0, shape.headDim());
        float[] sums = new float[shape.queryHeads()];
        attend(now, own, own, sums);
        MemorySegment.copy(own, 0, output, FLOAT32, 0, own.length);
        MemorySegment.copy(sums, 0, logSumExp, FLOAT32, 0, sums.length);
    }

    @Override
    public void reconstruct(int head, CacheContents now, float[] keys, float[] values) {
        Workspace workspace = Workspace.of(provider.create(Backend.SCALAR), shape.headDim());
        AttentionKernels kernels = workspace.kernels();
        int owner = 0;
        while (firstHead(owner + 1) <= head) {
            owner++;
        }
        DeviceShard shard = shards.get(owner);
        int within = head - firstHead(owner);
        int tileBytes = provider.layout().tileBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tile = arena.allocate(tileBytes, CacheGeometry.ALIGNMENT);
            for (int i = 0; i < now.packedTiles(); i++) {
                shard.exportTiles(within, i, 1, tile);
                kernels.unpackKeys(head, tile, 0, now.scales(), workspace.keys());
                kernels.unpackValues(tile, 0, workspace.values());
                workspace.copyRows(i * TILE_TOKENS, now.packedTokens(), shape.headDim(), keys, values);
            }
        }
        for (int i = 0; i < now.denseTiles(); i++) {
            shard.loadDense(within, i, workspace.keys(), workspace.values());
            workspace.copyRows(now.packedTokens() + i * TILE_TOKENS, now.tokens(), shape.headDim(), keys, values);
        }
    }

    @Override
    public long bytes() {
        return shards.stream().mapToLong(DeviceShard::bytes).sum();
    }

    @Override
    public void close() {
        shards.forEach(DeviceShard::close);
    }
}
