package dev.attune.runtime;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Checks of what a caller hands over; all of them run before anything is changed. */
final class InputChecks {

    /** Numbers read at once from a segment while it is scanned: 16 KiB, which stay in the first-level cache. */
    private static final int CHUNK = 4096;

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
     * Checks that every number is finite.
     *
     * @param middle size of the middle dimension of {@code [heads][middle][headDim]}; 0 for {@code [heads][headDim]}
     * @throws IllegalArgumentException if one is NaN or infinite
     */
    static void requireFinite(String name, float[] array, int middle, int headDim) {
        if (!allFinite(array, array.length)) {
            throw notFinite(name, array, array.length, 0, middle, headDim);
        }
    }

    /** The same for a segment, which is read in pieces of {@link #CHUNK} numbers. */
    static void requireFinite(String name, MemorySegment segment, int middle, int headDim) {
        long length = segment.byteSize() / Float.BYTES;
        float[] chunk = new float[(int) Math.min(length, CHUNK)];
        for (long start = 0; start < length; start += CHUNK) {
            int count = (int) Math.min(CHUNK, length - start);
            MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT_UNALIGNED, start * Float.BYTES, chunk, 0, count);
            if (!allFinite(chunk, count)) {
                throw notFinite(name, chunk, count, start, middle, headDim);
            }
        }
    }

    /**
     * Returns whether the first {@code count} numbers are finite. {@code x * 0} is zero for a finite x and NaN for
     * every other; eight sums, since one alone would wait for each addition to finish.
     */
    private static boolean allFinite(float[] array, int count) {
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
            sum0 += array[i] * 0;
            sum1 += array[i + 1] * 0;
            sum2 += array[i + 2] * 0;
            sum3 += array[i + 3] * 0;
            sum4 += array[i + 4] * 0;
            sum5 += array[i + 5] * 0;
            sum6 += array[i + 6] * 0;
            sum7 += array[i + 7] * 0;
        }
        for (; i < count; i++) {
            sum0 += array[i] * 0;
        }
        return sum0 + sum1 + sum2 + sum3 + sum4 + sum5 + sum6 + sum7 == 0;
    }

    private static IllegalArgumentException notFinite(
            String name, float[] chunk, int count, long start, int middle, int headDim) {
        int at = 0;
        while (at < count - 1 && Float.isFinite(chunk[at])) {
            at++;
        }
        long index = start + at;
        long channel = index % headDim;
        long row = index / headDim;
        String position = middle == 0
                ? "[" + row + "][" + channel + "]"
                : "[" + row / middle + "][" + row % middle + "][" + channel + "]";
        return new IllegalArgumentException(
                name + position + " is " + chunk[at] + "; every number must be finite");
    }
}
