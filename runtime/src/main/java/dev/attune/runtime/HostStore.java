package dev.attune.runtime;

import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Holds a cache's tokens in one segment of off-heap memory, laid out as {@link CacheGeometry} says. */
final class HostStore implements TokenStore {

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    private static final ValueLayout.OfFloat FLOAT32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfFloat STORED_SCALE = FLOAT32.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final KernelProvider provider;
    private final LayerShape shape;
    private final SharedResources resources;
    private final CacheGeometry geometry;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final CacheWriter writer;

    HostStore(KernelProvider provider, SharedResources resources, CacheGeometry geometry) {
        this.provider = provider;
        this.shape = provider.shape();
        this.resources = resources;
        this.geometry = geometry;
        this.memory = allocate();
        this.writer = new CacheWriter(shape, geometry, memory, resources);
    }

    private MemorySegment allocate() {
        try {
            return arena.allocate(geometry.bytes(), CacheGeometry.ALIGNMENT);
        } catch (OutOfMemoryError exhausted) {
            arena.close();
            var error = new OutOfMemoryError("cannot allocate the " + geometry.bytes() + " bytes of a cache for "
                    + geometry.capacity() + " tokens; the operating system has not that much memory to give");
            error.initCause(exhausted);
            throw error;
        }
    }

    @Override
    public CacheContents nothing() {
        return writer.nothing();
    }

    @Override
    public CacheContents prompt(
            MemorySegment keys, MemorySegment values, int tokens, float[] windowQueries, int positions) {
        return writer.prompt(keys, values, tokens, windowQueries, positions);
    }

    @Override
    public CacheContents token(CacheContents before, float[] key, float[] value) {
        return writer.token(before, key, value);
    }

    @Override
    public void become(CacheContents after) {
        MemorySegment.copy(after.scales(), 0, memory, STORED_SCALE, 0, after.scales().length);
    }

    @Override
    public void attend(CacheContents now, float[] queries, float[] output, float[] logSumExp) {
        DecodeStep step = resources.steps().acquire();
        attend(step, now, queries, output, logSumExp == null ? step.ownLogSumExp() : logSumExp);
        resources.steps().release(step);
    }

    private void attend(DecodeStep step, CacheContents now, float[] queries, float[] output, float[] logSumExp) {
        if (!VerboseTopic.RUN.enabled()) {
            step.attend(now, geometry, memory, queries, output, logSumExp);
            return;
        }
        long start = System.nanoTime();
        step.attend(now, geometry, memory, queries, output, logSumExp);
        long micros = (System.nanoTime() - start) / 1000;
        VerboseTopic.RUN.print(
                provider.specification().getName(), resources.threads(), now.tokens(), step.variant(), micros);
    }

    @Override
    public void attend(CacheContents now, MemorySegment queries, MemorySegment output, MemorySegment logSumExp) {
        int numbers = shape.queryHeads() * shape.headDim();
        DecodeStep step = resources.steps().acquire();
        MemorySegment.copy(queries, FLOAT32, 0, step.ownQueries(), 0, numbers);
        try {
            InputChecks.requireFinite("queries", step.ownQueries(), 0, shape.headDim());
        } catch (IllegalArgumentException refusal) {
            resources.steps().release(step);
            throw refusal;
        }
        attend(step, now, step.ownQueries(), step.ownOutput(), step.ownLogSumExp());
        MemorySegment.copy(step.ownOutput(), 0, output, FLOAT32, 0, numbers);
        MemorySegment.copy(step.ownLogSumExp(), 0, logSumExp, FLOAT32, 0, shape.queryHeads());
        resources.steps().release(step);
    }

    @Override
    public void reconstruct(int head, CacheContents now, float[] keys, float[] values) {
        Workspace workspace = resources.workspaces().acquire();
        AttentionKernels kernels = workspace.kernels();
        for (int tile = 0; tile < now.packedTiles(); tile++) {
            long offset = geometry.packedTile(head, tile);
            kernels.unpackKeys(head, memory, offset, now.scales(), workspace.keys());
            kernels.unpackValues(memory, offset, workspace.values());
            workspace.copyRows(tile * TILE_TOKENS, now.packedTokens(), shape.headDim(), keys, values);
        }
        for (int tile = 0; tile < now.denseTiles(); tile++) {
            long offset = geometry.denseTile(head, (now.oldestDenseTile() + tile) % geometry.denseTiles());
            kernels.loadDense(memory, offset, workspace.keys(), workspace.values());
            workspace.copyRows(
                    now.packedTokens() + tile * TILE_TOKENS, now.tokens(), shape.headDim(), keys, values);
        }
        resources.workspaces().release(workspace);
    }

    @Override
    public long bytes() {
        return memory.byteSize();
    }

    @Override
    public void close() {
        arena.close();
    }

    /** The cache's bytes, for tests that nothing was changed. */
    MemorySegment memory() {
        return memory;
    }
}
