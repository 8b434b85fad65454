package dev.attune.reference;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Plain attention over tiles of float32. Packed tiles hold scaled keys, dense tiles unscaled ones; the scales are
 * powers of two, so that everything read back is exact and a forgotten scale shows.
 */
public class ReferenceKernels implements AttentionKernels {

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final int TILE_TOKENS = CacheLayout.TILE_TOKENS;

    private final LayerShape shape;
    private final Backend backend;
    private final int d;

    /** Room for the scores of a decode step; it grows as they do. */
    private double[] scores = new double[0];

    public ReferenceKernels(LayerShape shape, Backend backend) {
        this.shape = shape;
        this.backend = backend;
        this.d = shape.headDim();
    }

    /** Keys {@code [64][d]}, then values {@code [64][d]}, in both kinds of tiles. */
    public static CacheLayout layout(LayerShape shape) {
        int side = TILE_TOKENS * shape.headDim() * Float.BYTES;
        return new CacheLayout(
                0,
                2 * side,
                2 * side,
                List.of(new CacheLayout.Part("keys", side), new CacheLayout.Part("values", side)));
    }

    @Override
    public Backend backend() {
        return backend;
    }

    /** The scale of channel {@code j}: 2 to the power of {@code positions + head + j mod 3}. */
    @Override
    public void scoreChannels(int head, float[] windowQueries, int positions, float[] scales) {
        for (int j = 0; j < d; j++) {
            scales[head * d + j] = Math.scalb(1f, positions + head + j % 3);
        }
    }

    @Override
    public void packKeys(int head, float[] keys, float[] scales, MemorySegment cache, long tile) {
        for (int i = 0; i < TILE_TOKENS * d; i++) {
            cache.set(FLOAT, tile + 4L * i, keys[i] * scales[head * d + i % d]);
        }
    }

    @Override
    public void packValues(float[] values, MemorySegment cache, long tile) {
        MemorySegment.copy(values, 0, cache, FLOAT, values(tile), TILE_TOKENS * d);
    }

    @Override
    public void unpackKeys(int head, MemorySegment cache, long tile, float[] scales, float[] keys) {
        for (int i = 0; i < TILE_TOKENS * d; i++) {
            keys[i] = cache.get(FLOAT, tile + 4L * i) / scales[head * d + i % d];
        }
    }

    @Override
    public void unpackValues(MemorySegment cache, long tile, float[] values) {
        MemorySegment.copy(cache, FLOAT, values(tile), values, 0, TILE_TOKENS * d);
    }

    @Override
    public void storeDense(float[] key, float[] value, int offset, MemorySegment cache, long tile, int token) {
        MemorySegment.copy(key, offset, cache, FLOAT, tile + 4L * token * d, d);
        MemorySegment.copy(value, offset, cache, FLOAT, values(tile) + 4L * token * d, d);
    }

    @Override
    public void loadDense(MemorySegment cache, long tile, float[] keys, float[] values) {
        MemorySegment.copy(cache, FLOAT, tile, keys, 0, TILE_TOKENS * d);
        MemorySegment.copy(cache, FLOAT, values(tile), values, 0, TILE_TOKENS * d);
    }

    @Override
    public void scoreKeys(
            int head,
            float[] queries,
            float[] scales,
            MemorySegment cache,
            long tile,
            int packedTokens,
            float[] scores) {
        for (int g = 0; g < shape.groupSize(); g++) {
            int query = (head * shape.groupSize() + g) * d;
            for (int t = 0; t < packedTokens; t++) {
                double score = 0;
                for (int j = 0; j < d; j++) {
                    score += queries[query + j] / scales[head * d + j] * cache.get(FLOAT, row(tile, t) + 4L * j);
                }
                scores[g * packedTokens + t] = (float) (score / Math.sqrt(d));
            }
        }
    }

    @Override
    public void sumValues(MemorySegment cache, long tile, int packedTokens, float[] weights, float[] output) {
        for (int g = 0; g < shape.groupSize(); g++) {
            for (int j = 0; j < d; j++) {
                double sum = 0;
                for (int t = 0; t < packedTokens; t++) {
                    sum += weights[g * packedTokens + t] * cache.get(FLOAT, values(row(tile, t)) + 4L * j);
                }
                output[g * d + j] = (float) sum;
            }
        }
    }

    @Override
    public void attend(
            int head,
            float[] queries,
            float[] scales,
            MemorySegment cache,
            long tile,
            int packedTokens,
            long dense,
            int denseTokens,
            float[] output,
            float[] logSumExp) {
        int packed = packedTokens;
        int tokens = packed + denseTokens;
        if (scores.length < tokens) {
            scores = new double[tokens];
        }
        for (int q = head * shape.groupSize(); q < (head + 1) * shape.groupSize(); q++) {
            double sum = 0;
            for (int t = 0; t < tokens; t++) {
                long key = t < packed ? row(tile, t) : row(dense, t - packed);
                double score = 0;
                for (int j = 0; j < d; j++) {
                    double scale = t < packed ? scales[head * d + j] : 1;
                    score += queries[q * d + j] / scale * cache.get(FLOAT, key + 4L * j);
                }
                scores[t] = Math.exp(score / Math.sqrt(d));
                sum += scores[t];
            }
            for (int j = 0; j < d; j++) {
                double out = 0;
                for (int t = 0; t < tokens; t++) {
                    long key = t < packed ? row(tile, t) : row(dense, t - packed);
                    out += scores[t] / sum * cache.get(FLOAT, values(key) + 4L * j);
                }
                output[q * d + j] = (float) out;
            }
            logSumExp[q] = (float) Math.log(sum);
        }
    }

    private long row(long tile, int token) {
        return tile + 2L * 4 * TILE_TOKENS * d * (token / TILE_TOKENS) + 4L * d * (token % TILE_TOKENS);
    }

    private long values(long keys) {
        return keys + 4L * TILE_TOKENS * d;
    }
}
