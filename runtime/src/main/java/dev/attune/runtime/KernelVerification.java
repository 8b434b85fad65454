package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;

/**
 * Compares a variant's kernels with the scalar oracle on random tokens: what they pack, to the byte; what they decode,
 * within the bound that holds for lookups in bfloat16; and that they write where they should and nowhere else.
 */
final class KernelVerification {

    /**
     * Largest normalised mean square error of an output. Queries and weights are looked up as bfloat16, off by one part
     * in 512, and the softmax turns an error of a score into a relative error of a weight.
     */
    private static final double LARGEST_ERROR = 4e-4;

    private static final double LARGEST_LOG_SUM_ERROR = 0.08;

    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    /** A not-a-number that no arithmetic makes: what still holds its bits was not written. */
    private static final int UNTOUCHED = 0x7FC0_A77E;

    private static final int GUARD_ZONE = 16;

    /** A few tiles, while kernels are not compiled yet and slow. */
    private static final int FEW_TILES = 5;

    /** As many that kernels that read four at once, or eight ahead, do so twice and have some left. */
    private static final int MANY_TILES = 19;

    private static final int DENSE_TOKENS = 37;
    /** Sets of random tokens, once kernels are compiled. */
    private static final int SEEDS = 2;

    private final KernelProvider provider;
    private final LayerShape shape;
    private final int packedTiles;
    private final int packedTokens;
    private final Random random;
    private final float[] scales;
    private final float[] queries;

    private KernelVerification(KernelProvider provider, int packedTiles, long seed) {
        this.packedTiles = packedTiles;
        this.provider = provider;
        this.shape = provider.shape();
        this.random = new Random(seed);
        this.scales = new float[shape.keyValueHeads() * shape.headDim()];
        this.queries = gaussians(shape.queryHeads() * shape.headDim(), 1.5f);
        // A prompt that is packed whole may end in a partial tile.
        this.packedTokens = packedTiles * TILE_TOKENS - (shape.packGenerated() ? 0 : 7);
    }

    /**
     * Returns what is wrong with a variant that can run here, in words; nothing if all is well.
     *
     * @throws CancellationException if the thread was interrupted, which it stays
     */
    static Optional<String> problem(KernelProvider provider, KernelVariant variant) {
        return problem(provider, variant, FEW_TILES, 1);
    }

    /** The same over more tiles, once the variant is compiled: what is checked then is the compiled code. */
    static Optional<String> problemWhenCompiled(KernelProvider provider, KernelVariant variant) {
        return problem(provider, variant, MANY_TILES, SEEDS);
    }

    private static Optional<String> problem(
            KernelProvider provider, KernelVariant variant, int packedTiles, int seeds) {
        for (long seed = 1; seed <= seeds; seed++) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancellationException("the verification was cancelled");
            }
            try {
                Optional<String> problem = variant.backend() == Backend.OPENCL
                        ? DeviceVerification.problem(provider, seed)
                        : new KernelVerification(provider, packedTiles, seed).problem(variant);
                if (problem.isPresent()) {
                    return problem.map("on random tokens %d: ".formatted(seed)::concat);
                }
            } catch (RuntimeException | LinkageError failure) {
                return Optional.of("it failed on random tokens " + seed + ": " + failure);
            }
        }
        return Optional.empty();
    }

    private Optional<String> problem(KernelVariant variant) {
        AttentionKernels oracle = provider.create(Backend.SCALAR);
        AttentionKernels kernels = provider.create(variant);
        float[] window = gaussians(shape.queryHeads() * shape.headDim(), 1);
        float[] ownScales = scales.clone();
        for (int head = 0; head < shape.keyValueHeads(); head++) {
            oracle.scoreChannels(head, window, 1, scales);
            kernels.scoreChannels(head, window, 1, ownScales);
        }
        if (!Arrays.equals(scales, ownScales)) {
            return Optional.of("its channel scales differ from the oracle's");
        }
        try (Arena arena = Arena.ofConfined()) {
            for (int head : heads()) {
                MemorySegment cache = arena.allocate(bytes(), CacheGeometry.ALIGNMENT);
                MemorySegment ownCache = arena.allocate(bytes(), CacheGeometry.ALIGNMENT);
                pack(head, oracle, cache, kernels, ownCache);
                long different = cache.mismatch(ownCache);
                if (different >= 0) {
                    return Optional.of("byte " + different + " of what it packed differs from the oracle's");
                }
                Optional<String> problem = decode(head, oracle, kernels, cache, ownCache);
                if (problem.isPresent()) {
                    return problem.map(words -> "key-value head " + head + ": " + words);
                }
            }
        }
        return Optional.empty();
    }

    private int[] heads() {
        return shape.keyValueHeads() == 1 ? new int[] {0} : new int[] {0, shape.keyValueHeads() - 1};
    }

    private long bytes() {
        return dense() + provider.layout().denseTileBytes();
    }

    private long dense() {
        return (long) packedTiles * provider.layout().tileBytes();
    }

    private void pack(
            int head, AttentionKernels oracle, MemorySegment cache, AttentionKernels kernels, MemorySegment ownCache) {
        for (int tile = 0; tile <= packedTiles; tile++) {
            // Tiles of many sizes, so that maxima move and some tiles hardly count.
            float[] keys = gaussians(TILE_TOKENS * shape.headDim(), 1 + tile % 3);
            float[] values = gaussians(TILE_TOKENS * shape.headDim(), 1);
            long offset = (long) tile * provider.layout().tileBytes();
            if (tile < packedTiles) {
                oracle.packKeys(head, keys.clone(), scales, cache, offset);
                oracle.packValues(values.clone(), cache, offset);
                kernels.packKeys(head, keys, scales, ownCache, offset);
                kernels.packValues(values, ownCache, offset);
            } else {
                for (int token = 0; token < DENSE_TOKENS; token++) {
                    int row = token * shape.headDim();
                    oracle.storeDense(keys, values, row, cache, dense(), token);
                    kernels.storeDense(keys, values, row, ownCache, dense(), token);
                }
            }
        }
    }

    private Optional<String> decode(
            int head, AttentionKernels oracle, AttentionKernels kernels, MemorySegment cache, MemorySegment ownCache) {
        int numbers = shape.queryHeads() * shape.headDim();
        float[] expected = guarded(numbers);
        float[] expectedSums = guarded(shape.queryHeads());
        float[] output = guarded(numbers);
        float[] logSums = guarded(shape.queryHeads());
        attend(head, oracle, cache, expected, expectedSums);
        attend(head, kernels, ownCache, output, logSums);
        int first = head * shape.groupSize();
        int end = first + shape.groupSize();
        if (written(output, 0, first * shape.headDim())
                || written(output, end * shape.headDim(), output.length)
                || written(logSums, 0, first)
                || written(logSums, end, logSums.length)) {
            return Optional.of("it wrote beyond its outputs");
        }
        if (cache.mismatch(ownCache) >= 0) {
            return Optional.of("it changed the cache while decoding");
        }
        for (int query = first; query < end; query++) {
            Optional<String> problem = compare(
                    query, Arrays.copyOfRange(expected, query * shape.headDim(), (query + 1) * shape.headDim()),
                    Arrays.copyOfRange(output, query * shape.headDim(), (query + 1) * shape.headDim()),
                    expectedSums[query], logSums[query]);
            if (problem.isPresent()) {
                return problem;
            }
        }
        return Optional.empty();
    }

    private void attend(int head, AttentionKernels kernels, MemorySegment cache, float[] output, float[] logSums) {
        kernels.attend(head, queries, scales, cache, 0, packedTokens, dense(), DENSE_TOKENS, output, logSums);
    }

    /** Compares the output and the log-sum-exp of a query head with the oracle's. */
    static Optional<String> compare(
            int query, float[] expected, float[] output, float expectedLogSum, float logSum) {
        double difference = 0;
        double energy = 0;
        for (int i = 0; i < expected.length; i++) {
            if (!Float.isFinite(output[i])) {
                return Optional.of("output " + i + " of query head " + query + " is " + output[i]);
            }
            difference += Math.pow((double) output[i] - expected[i], 2);
            energy += Math.pow(expected[i], 2);
        }
        double error = energy == 0 ? difference : difference / energy;
        if (error > LARGEST_ERROR) {
            return Optional.of(String.format(
                    Locale.ROOT, "the normalised mean square error of query head %d is %.2g, more than %.2g", query,
                    error, LARGEST_ERROR));
        }
        if (!(Math.abs(logSum - expectedLogSum) <= LARGEST_LOG_SUM_ERROR)) {
            return Optional.of("the log-sum-exp of query head " + query + " is " + logSum + " instead of "
                    + expectedLogSum);
        }
        return Optional.empty();
    }

    private static float[] guarded(int numbers) {
        float[] guarded = new float[numbers + GUARD_ZONE];
        Arrays.fill(guarded, Float.intBitsToFloat(UNTOUCHED));
        return guarded;
    }

    private static boolean written(float[] numbers, int from, int to) {
        for (int i = from; i < to; i++) {
            if (Float.floatToRawIntBits(numbers[i]) != UNTOUCHED) {
                return true;
            }
        }
        return false;
    }

    private float[] gaussians(int count, float scale) {
        return RandomCaches.gaussians(random, count, scale);
    }
}
