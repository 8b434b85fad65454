package dev.attune.runtime;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Checks of what a caller hands over; all of them run before anything is changed. */
final class InputChecks {

    /** Numbers read at once from a segment while it is scanned: 16 KiB, which stay in the first-level cache. */
    private static final int CHUNK = 4096;

    /**
     * The largest magnitude taken. Sums of squares and products of such numbers are finite in float32, and so is what
     * bfloat16 makes of them; those of numbers near {@link Float#MAX_VALUE} are not.
     */
    static final float LIMIT = 1e10f;

    private InputChecks() {}

    /**
     * Checks the length of an array.
     *
     * @param shape for example {@code "[queryHeads = 32][headDim = 128]"}
     * @throws NullPointerException if the array is null
     * @throws IllegalArgumentException if the length is another
     */
    static void requireLength(String name, float[] array, String shape, long expected) {
        requireNonNull(name, array);
        if (array.length != expected) {
            throw wrongLength(name, shape, expected, array.length);
        }
    }

    /** Checks that a segment can be used by this thread and holds exactly so many numbers. */
    static void requireLength(String name, MemorySegment segment, String shape, long expected) {
        long length = length(name, segment);
        if (length != expected) {
            throw wrongLength(name, shape, expected, length);
        }
    }

    /** Returns how many numbers a segment holds, once it is known to be usable by this thread. */
    static long length(String name, MemorySegment segment) {
        requireNonNull(name, segment);
        if (!segment.scope().isAlive()) {
            throw new IllegalArgumentException(name + " is a segment whose arena is closed");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new IllegalArgumentException(name + " is a segment that belongs to another thread");
        }
        if (segment.byteSize() % Float.BYTES != 0) {
            throw new IllegalArgumentException(
                    name + " has " + segment.byteSize() + " bytes, which is not a whole number of float32");
        }
        return segment.byteSize() / Float.BYTES;
    }

    /** Checks that a segment can be written. */
    static void requireWritable(String name, MemorySegment segment) {
        if (segment.isReadOnly()) {
            throw new IllegalArgumentException(name + " is a read-only segment");
        }
    }

    static void requireNonNull(String name, Object input) {
        if (input == null) {
            throw new NullPointerException(name + " is null");
        }
    }

    static IllegalArgumentException wrongLength(String name, String shape, long expected, long actual) {
        return new IllegalArgumentException(
                name + " has " + actual + " numbers, not the " + expected + " of " + shape);
    }

    /**
     * Checks that every number is finite and at most {@link #LIMIT} in magnitude.
     *
     * @param middle size of the middle dimension of {@code [heads][middle][headDim]}; 0 for {@code [heads][headDim]}
     * @throws IllegalArgumentException if one is not
     */
    static void requireFinite(String name, float[] array, int middle, int headDim) {
        if (!allWithinLimit(array, array.length)) {
            throw refusal(name, array, array.length, 0, middle, headDim);
        }
    }

    /** The same for a segment, which is read in pieces of {@link #CHUNK} numbers. */
    static void requireFinite(String name, MemorySegment segment, int middle, int headDim) {
        long length = segment.byteSize() / Float.BYTES;
        float[] chunk = new float[(int) Math.min(length, CHUNK)];
        for (long start = 0; start < length; start += CHUNK) {
            int count = (int) Math.min(CHUNK, length - start);
            MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT_UNALIGNED, start * Float.BYTES, chunk, 0, count);
            if (!allWithinLimit(chunk, count)) {
                throw refusal(name, chunk, count, start, middle, headDim);
            }
        }
    }

    /**
     * Returns whether the first {@code count} numbers are at most {@link #LIMIT} in magnitude. Usually the sum of their
     * squares settles it, faster than their maximum: it is never below one of them, and NaN if one of them is.
     */
    private static boolean allWithinLimit(float[] array, int count) {
        return sumOfSquares(array, count) <= LIMIT * LIMIT / 2 || largestMagnitude(array, count) <= LIMIT;
    }

    /** Adds up in eight sums, since one alone would wait for each addition to finish. */
    private static float sumOfSquares(float[] array, int count) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        float sum4 = 0;
        float sum5 = 0;
        float sum6 = 0;
        float sum7 = 0;
        int i = 0;
        for (; i <= count - 8; i += 8) {
            sum0 += array[i] * array[i];
            sum1 += array[i + 1] * array[i + 1];
            sum2 += array[i + 2] * array[i + 2];
            sum3 += array[i + 3] * array[i + 3];
            sum4 += array[i + 4] * array[i + 4];
            sum5 += array[i + 5] * array[i + 5];
            sum6 += array[i + 6] * array[i + 6];
            sum7 += array[i + 7] * array[i + 7];
        }
        for (; i < count; i++) {
            sum0 += array[i] * array[i];
        }
        return sum0 + sum1 + sum2 + sum3 + sum4 + sum5 + sum6 + sum7;
    }

    /** Returns NaN if one number is NaN. */
    private static float largestMagnitude(float[] array, int count) {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(array[i]));
        }
        return largest;
    }

    /** Names the first number that is refused. */
    private static IllegalArgumentException refusal(
            String name, float[] chunk, int count, long start, int middle, int headDim) {
        int at = 0;
        while (at < count - 1 && Math.abs(chunk[at]) <= LIMIT) {
            at++;
        }
        long index = start + at;
        long channel = index % headDim;
        long row = index / headDim;
        String position = middle == 0
                ? "[" + row + "][" + channel + "]"
                : "[" + row / middle + "][" + row % middle + "][" + channel + "]";
        String rule = Float.isFinite(chunk[at])
                ? "; numbers beyond " + LIMIT + " in magnitude would overflow scores: check the model's output"
                : "; every number must be finite";
        return new IllegalArgumentException(name + position + " is " + chunk[at] + rule);
    }
}
