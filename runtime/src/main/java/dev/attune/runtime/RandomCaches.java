package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Random;

/**
 * Caches in host memory full of random tokens, to time decode steps of any Java variant on. So many of them that a step
 * finds its cache in memory as it does in a model of many layers, unless all would fit a processor's caches there, too.
 *
 * <p>A block of tokens is packed, and its tiles are repeated: a step takes no notice, and filling takes no time.
 */
final class RandomCaches implements AutoCloseable {

    /** Layers of a model: so many caches take turns. */
    static final int LAYERS = 32;

    /** More than the caches of most processors. */
    private static final long BYTES = 256L << 20;

    private static final int BLOCK_TOKENS = 1024;
    private static final long SEED = 1;

    private final LayerShape shape;
    private final CacheGeometry geometry;
    private final CacheContents contents;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] caches;
    private final float[] queries;
    private int next;

    /**
     * Fills caches.
     *
     * @param tokens tokens of each, a multiple of 64
     * @param most how many there are at most
     * @throws IllegalStateException if there is not enough memory; the message says how much is needed
     */
    RandomCaches(KernelProvider provider, int tokens, int most) {
        this.shape = provider.shape();
        this.geometry = CacheGeometry.of(shape, provider.layout(), tokens, 0);
        Random random = new Random(SEED);
        int block = Math.min(tokens, BLOCK_TOKENS);
        // Packing is not what is timed, and every backend packs alike.
        SharedResources packing =
                SharedResources.of(provider, provider.variant(Backend.SCALAR), Map.of(), WorkerPool.SHARED, 1);
        CacheGeometry blockGeometry = CacheGeometry.of(shape, provider.layout(), block, 0);
        HostStore small = new HostStore(provider, packing, blockGeometry);
        int row = shape.keyValueHeads() * shape.headDim();
        CacheContents packed = small.prompt(
                MemorySegment.ofArray(gaussians(random, block * row, 1)),
                MemorySegment.ofArray(gaussians(random, block * row, 1)),
                block,
                gaussians(random, shape.queryHeads() * shape.headDim(), 1),
                1);
        this.contents = CacheContents.of(packed.scales(), tokens, 0);
        this.queries = gaussians(random, shape.queryHeads() * shape.headDim(), 1);
        this.caches = new MemorySegment[Math.clamp(BYTES / geometry.bytes(), 1, most)];
        try {
            for (int i = 0; i < caches.length; i++) {
                caches[i] = filled(small.memory(), blockGeometry);
            }
        } catch (OutOfMemoryError exhausted) {
            arena.close();
            throw new IllegalStateException(
                    "timing a context of " + tokens + " tokens takes " + caches.length * geometry.bytes()
                            + " bytes of memory, which are not to be had; tune for shorter contexts",
                    exhausted);
        } finally {
            small.close();
        }
    }

    private MemorySegment filled(MemorySegment block, CacheGeometry blockGeometry) {
        MemorySegment cache = arena.allocate(geometry.bytes(), CacheGeometry.ALIGNMENT);
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            for (int tile = 0; tile < contents.packedTiles(); tile++) {
                MemorySegment.copy(
                        block,
                        blockGeometry.packedTile(head, tile % blockGeometry.packedTiles()),
                        cache,
                        geometry.packedTile(head, tile),
                        geometry.tileBytes());
            }
        }
        return cache;
    }

    /** Does a decode step on the cache whose turn it is. */
    void attend(DecodeStep step) {
        next = (next + 1) % caches.length;
        step.attend(contents, geometry, caches[next], queries, step.ownOutput(), step.ownLogSumExp());
    }

    /** Returns tokens times key-value heads of a decode step. */
    double tokenHeads() {
        return (double) contents.tokens() * shape.keyValueHeads();
    }

    @Override
    public void close() {
        arena.close();
    }

    static float[] gaussians(Random random, int count, float scale) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = scale * (float) random.nextGaussian();
        }
        return numbers;
    }
}
