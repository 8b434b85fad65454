package dev.attune.bench.roofline;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Reads memory once, front to back, and does nothing else: eight loads of the widest vectors per iteration into eight
 * independent sums, so that neither a chain of additions nor the loop holds a load up.
 *
 * <p>The memory can be split into 1, 2, 4 or 8 streams that advance side by side: processors differ in how many they
 * fetch ahead best.
 */
final class MemoryReader {

    /** The numbers of streams to choose from. */
    static final int[] STREAMS = {1, 2, 4, 8};

    private static final VectorSpecies<Long> SPECIES = LongVector.SPECIES_PREFERRED;
    private static final int LOADS = 8;

    private MemoryReader() {}

    /**
     * Reads a segment.
     *
     * @param memory a multiple of 4 KiB
     * @param streams one of {@link #STREAMS}
     * @return a sum over what was read, which must be used somewhere lest the loop be optimised away
     */
    static long read(MemorySegment memory, int streams) {
        long stream = memory.byteSize() / streams;
        long stride = (long) LOADS / streams * SPECIES.vectorByteSize();
        long start0 = start(0, streams, stream);
        long start1 = start(1, streams, stream);
        long start2 = start(2, streams, stream);
        long start3 = start(3, streams, stream);
        long start4 = start(4, streams, stream);
        long start5 = start(5, streams, stream);
        long start6 = start(6, streams, stream);
        long start7 = start(7, streams, stream);
        LongVector sum0 = LongVector.zero(SPECIES);
        LongVector sum1 = sum0;
        LongVector sum2 = sum0;
        LongVector sum3 = sum0;
        LongVector sum4 = sum0;
        LongVector sum5 = sum0;
        LongVector sum6 = sum0;
        LongVector sum7 = sum0;
        for (long at = 0; at < stream; at += stride) {
            sum0 = sum0.add(LongVector.fromMemorySegment(SPECIES, memory, start0 + at, ByteOrder.LITTLE_ENDIAN));
            sum1 = sum1.add(LongVector.fromMemorySegment(SPECIES, memory, start1 + at, ByteOrder.LITTLE_ENDIAN));
            sum2 = sum2.add(LongVector.fromMemorySegment(SPECIES, memory, start2 + at, ByteOrder.LITTLE_ENDIAN));
            sum3 = sum3.add(LongVector.fromMemorySegment(SPECIES, memory, start3 + at, ByteOrder.LITTLE_ENDIAN));
            sum4 = sum4.add(LongVector.fromMemorySegment(SPECIES, memory, start4 + at, ByteOrder.LITTLE_ENDIAN));
            sum5 = sum5.add(LongVector.fromMemorySegment(SPECIES, memory, start5 + at, ByteOrder.LITTLE_ENDIAN));
            sum6 = sum6.add(LongVector.fromMemorySegment(SPECIES, memory, start6 + at, ByteOrder.LITTLE_ENDIAN));
            sum7 = sum7.add(LongVector.fromMemorySegment(SPECIES, memory, start7 + at, ByteOrder.LITTLE_ENDIAN));
        }
        LongVector sum = sum0.add(sum1).add(sum2.add(sum3)).add(sum4.add(sum5).add(sum6.add(sum7)));
        return sum.reduceLanes(VectorOperators.ADD);
    }

    /** Returns where a load begins: a stream's loads follow each other. */
    private static long start(int load, int streams, long stream) {
        int loadsPerStream = LOADS / streams;
        return load / loadsPerStream * stream + (long) (load % loadsPerStream) * SPECIES.vectorByteSize();
    }
}
