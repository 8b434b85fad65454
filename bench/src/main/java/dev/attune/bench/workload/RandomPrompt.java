package dev.attune.bench.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * Keys, values and queries of random numbers, in memory that all layers of a head dimension share.
 *
 * <p>Keys and values are windows on one stream of numbers that is repeated every million: how fast a kernel is does not
 * depend on what it computes with.
 */
public final class RandomPrompt implements AutoCloseable {

    /** Key-value heads of every layer that is measured. */
    public static final int KEY_VALUE_HEADS = 8;

    private static final int WINDOW = 32;
    private static final long SEED = 1;

    /** Not a multiple of a row, so that no two rows of a tile are the same. */
    private static final int PERIOD = (1 << 20) + 1;

    private final Arena arena = Arena.ofShared();
    private final int headDim;
    private final int tokens;
    private final MemorySegment numbers;

    /**
     * Fills the memory.
     *
     * @param headDim channels of a head
     * @param tokens the most tokens that will be asked for
     * @throws OutOfMemoryError if there is not that much memory
     */
    public RandomPrompt(int headDim, int tokens) {
        this.headDim = headDim;
        this.tokens = tokens;
        this.numbers = arena.allocate(bytes(tokens + 1), Float.BYTES);
        float[] gaussians = gaussians(PERIOD);
        MemorySegment source = MemorySegment.ofArray(gaussians);
        for (long done = 0; done < numbers.byteSize(); done += source.byteSize()) {
            long count = Math.min(source.byteSize(), numbers.byteSize() - done);
            MemorySegment.copy(source, 0, numbers, done, count);
        }
    }

    private long bytes(long count) {
        return KEY_VALUE_HEADS * count * headDim * Float.BYTES;
    }

    private static float[] gaussians(int count) {
        Random random = new Random(SEED);
        float[] gaussians = new float[count];
        for (int i = 0; i < count; i++) {
            gaussians[i] = (float) random.nextGaussian();
        }
        return gaussians;
    }

    /** Returns the channels of a head. */
    public int headDim() {
        return headDim;
    }

    /** Returns {@code [keyValueHeads][count][headDim]} keys. */
    public MemorySegment keys(int count) {
        return window(count, 0);
    }

    /** Returns {@code [keyValueHeads][count][headDim]} values. */
    public MemorySegment values(int count) {
        return window(count, bytes(1));
    }

    private MemorySegment window(int count, long offset) {
        if (count > tokens) {
            throw new IllegalArgumentException(
                    count + " tokens of a prompt of " + tokens + "; create it with as many as are needed");
        }
        return numbers.asSlice(offset, bytes(count));
    }

    /** Returns {@code [queryHeads][32][headDim]} window queries. */
    public MemorySegment windowQueries(int queryHeads) {
        return MemorySegment.ofArray(gaussians(queryHeads * WINDOW * headDim));
    }

    /** Returns {@code [queryHeads][headDim]} queries of one decode step. */
    public float[] queries(int queryHeads) {
        return gaussians(queryHeads * headDim);
    }

    /** Frees the memory. */
    @Override
    public void close() {
        arena.close();
    }
}
