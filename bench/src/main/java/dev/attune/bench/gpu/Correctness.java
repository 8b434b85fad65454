package dev.attune.bench.gpu;

import dev.attune.annotations.Backend;
import dev.attune.runtime.opencl.DeviceShard;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/** Compares a program with the scalar oracle: packed bytes to the bit, decode steps by their error. */
final class Correctness {

    /** Normalised mean square error that tables of bfloat16 and half precision may cause. */
    private static final double LIMIT = 4e-5;

    private static final int HEADS = 3;

    private Correctness() {}

    /**
     * Checks a program over several numbers of tokens.
     *
     * @return the largest normalised mean square error of an output
     * @throws IllegalStateException if something differs
     */
    static double check(LayerProgram program, KernelProvider provider) {
        double worst = 0;
        for (int[] tokens : new int[][] {{0, 1}, {64, 0}, {64, 63}, {640, 33}, {4096, 64}, {6400, 100}}) {
            worst = Math.max(worst, check(program, provider, tokens[0], tokens[1]));
        }
        return worst;
    }

    private static double check(LayerProgram program, KernelProvider provider, int packed, int dense) {
        int headDim = provider.shape().headDim();
        int group = provider.shape().groupSize();
        int tiles = packed / 64;
        int denseTiles = Math.max(1, Math.ceilDiv(dense, 64));
        int tileBytes = provider.layout().tileBytes();
        int denseBytes = provider.layout().denseTileBytes();
        Random random = new Random(packed + dense);
        float[] window = Workload.numbers(random, HEADS * group * 8 * headDim);
        float[] queries = Workload.numbers(random, HEADS * group * headDim);
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        String what = packed + " packed and " + dense + " dense tokens: ";
        try (Arena arena = Arena.ofConfined();
                DeviceShard shard = new DeviceShard(program, HEADS, tiles, denseTiles)) {
            shard.scoreChannels(window, 0, 8);
            float[] scales = shard.readScales();
            float[] expectedScales = scales.clone();
            shard.pack(tiles, Workload::copy);
            for (int token = 0; token < dense; token++) {
                float[] key = new float[HEADS * headDim];
                float[] value = new float[HEADS * headDim];
                for (int head = 0; head < HEADS; head++) {
                    int from = token % 64 * headDim;
                    int tile = tiles + token / 64;
                    System.arraycopy(Workload.keys(head, tile), from, key, head * headDim, headDim);
                    System.arraycopy(Workload.values(head, tile), from, value, head * headDim, headDim);
                }
                shard.storeDense(key, value, 0, token / 64, token % 64);
            }
            float[] output = new float[queries.length];
            float[] sums = new float[HEADS * group];
            shard.attend(queries, packed, dense, output, sums);
            float[] expected = new float[queries.length];
            float[] expectedSums = new float[sums.length];
            MemorySegment cache = arena.allocate((long) tiles * tileBytes + (long) denseTiles * denseBytes, 64);
            MemorySegment exported = arena.allocate(Math.max(1L, (long) tiles * tileBytes), 64);
            for (int head = 0; head < HEADS; head++) {
                oracle.scoreChannels(head, window, 8, expectedScales);
                for (int tile = 0; tile < tiles; tile++) {
                    oracle.packKeys(head, Workload.keys(head, tile), expectedScales, cache, (long) tile * tileBytes);
                    oracle.packValues(Workload.values(head, tile), cache, (long) tile * tileBytes);
                }
                long denseStart = (long) tiles * tileBytes;
                for (int token = 0; token < dense; token++) {
                    int tile = tiles + token / 64;
                    oracle.storeDense(
                            Workload.keys(head, tile), Workload.values(head, tile), token % 64 * headDim, cache,
                            denseStart + (long) (token / 64) * denseBytes, token % 64);
                }
                if (tiles > 0) {
                    shard.exportTiles(head, 0, tiles, exported);
                    long mismatch = cache.asSlice(0, exported.byteSize()).mismatch(exported);
                    require(mismatch == -1, what + "packed bytes differ at " + mismatch);
                }
                oracle.attend(
                        head, queries, expectedScales, cache, 0, packed, denseStart, dense, expected, expectedSums);
            }
            require(Arrays.equals(expectedScales, scales), what + "channel scales differ");
            double difference = 0;
            double energy = 0;
            for (int i = 0; i < output.length; i++) {
                difference += Math.pow(output[i] - expected[i], 2);
                energy += Math.pow(expected[i], 2);
            }
            double error = difference / energy;
            require(error <= LIMIT, what + "normalised mean square error " + error);
            for (int i = 0; i < sums.length; i++) {
                double off = Math.abs(sums[i] - expectedSums[i]);
                require(off < 0.02, what + "log-sum-exp off by " + off);
            }
            return error;
        }
    }

    private static void require(boolean condition, String failure) {
        if (!condition) {
            throw new IllegalStateException(failure);
        }
    }
}
