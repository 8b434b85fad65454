package dev.attune.bench.gpu;

import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;

/**
 * Layers and shapes to time, and random tokens for them.
 *
 * @param name what it goes by in the report
 * @param provider its kernels
 */
record Workload(String name, KernelProvider provider) {

    /** Different tiles of tokens; a cache repeats them, which changes no time. */
    private static final int TILES = 61;

    private static final int HEAD_DIM = 128;

    private static final float[][] KEYS = tiles(1, true);
    private static final float[][] VALUES = tiles(2, false);

    /**
     * A shape of a cache.
     *
     * @param batch sequences, whose heads are attended to in one step
     * @param tokens tokens of each
     */
    record Shape(String name, int batch, int tokens) {}

    static List<Workload> all() {
        return List.of(
                new Workload("dense", new DenseKernels()),
                new Workload("k0.8", new Keys80Kernels()),
                new Workload("k0.8+v0.8", new Keys80Values80Kernels()),
                new Workload("k0.8+v0.8-int8", new Keys80Values80Int8Kernels()));
    }

    static List<Shape> shapes() {
        return List.of(new Shape("32K", 1, 32_768), new Shape("131K", 1, 131_072), new Shape("8x32K", 8, 32_768));
    }

    private static float[][] tiles(int seed, boolean offsets) {
        Random random = new Random(seed);
        float[][] tiles = new float[TILES][64 * HEAD_DIM];
        for (float[] tile : tiles) {
            float[] offset = numbers(random, HEAD_DIM);
            for (int i = 0; i < tile.length; i++) {
                tile[i] = (float) random.nextGaussian() + (offsets ? offset[i % HEAD_DIM] : 0);
            }
        }
        return tiles;
    }

    /** Copies a tile's random tokens. */
    static void copy(int head, int tile, MemorySegment keys, MemorySegment values, long offset) {
        int which = (head * 31 + tile) % TILES;
        MemorySegment.copy(KEYS[which], 0, keys, ValueLayout.JAVA_FLOAT, offset, 64 * HEAD_DIM);
        MemorySegment.copy(VALUES[which], 0, values, ValueLayout.JAVA_FLOAT, offset, 64 * HEAD_DIM);
    }

    /** Returns the keys of a tile of a head. */
    static float[] keys(int head, int tile) {
        return KEYS[(head * 31 + tile) % TILES];
    }

    /** Returns the values of a tile of a head. */
    static float[] values(int head, int tile) {
        return VALUES[(head * 31 + tile) % TILES];
    }

    static float[] numbers(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
