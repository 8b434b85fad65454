package dev.attune.runtime;

import java.util.stream.IntStream;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Finds out by a short measurement whether this JVM compiles the permute that kernels look entries up by to
 * instructions. One that is not compiled allocates an object per vector and loops over its lanes, about a thousand
 * times slower. Touches the Vector API: loaded only once its module is known to be resolved.
 *
 * <p>The yardstick is the same lookups one by one. A compiled permute beats it several times over on any machine, an
 * uncompiled one never does. Only: every method starts out uncompiled, for how long depends on the load of the machine.
 * An addition of vectors beside the permute tells these cases apart. Once it is compiled, the permute gets a multiple
 * of that time.
 */
final class PermuteProbe {

    /** Lookups of one pass: some hundred nanoseconds, well above the clock's resolution. */
    private static final int LOOKUPS = 1024;

    /** A JVM that does not compile an addition of vectors in this time never does. */
    private static final long LONGEST_NANOS = 10_000_000_000L;

    /** The permute is given this many times as long as the addition took to be compiled... */
    private static final int PATIENCE = 4;

    /** ...but not less than this: other processes may wake up in between. */
    private static final long SHORTEST_NANOS = 3_000_000_000L;

    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;

    private static final int LANES = SHORTS.length();

    private final short[] table = shorts(2 * LANES, 3);
    private final short[] indices = shorts(LOOKUPS, 2 * LANES);
    private final short[] results = new short[LOOKUPS];

    private PermuteProbe() {}

    /** Holds the result, so that it is measured once in a JVM, by methods whose class is initialised. */
    private static final class Result {
        private static final boolean COMPILED = new PermuteProbe().measure();
    }

    /**
     * Returns whether a permute of two vectors of the preferred width is compiled to instructions. Measures the first
     * time: a fraction of a second, or {@link #LONGEST_NANOS} if nothing is compiled.
     */
    static boolean compiled() {
        return Result.COMPILED;
    }

    private boolean measure() {
        long start = System.nanoTime();
        long longest = LONGEST_NANOS;
        boolean additionCompiled = false;
        long oneByOne = Long.MAX_VALUE;
        while (true) {
            oneByOne = Math.min(oneByOne, nanos(this::lookUpOneByOne));
            if (nanos(this::permute) < oneByOne) {
                return true;
            }
            long elapsed = System.nanoTime() - start;
            if (!additionCompiled && nanos(this::add) < oneByOne) {
                additionCompiled = true;
                longest = Math.clamp(PATIENCE * elapsed, SHORTEST_NANOS, LONGEST_NANOS);
            }
            if (elapsed > longest) {
                return false;
            }
        }
    }

    private static long nanos(Runnable pass) {
        long start = System.nanoTime();
        pass.run();
        return System.nanoTime() - start;
    }

    private void lookUpOneByOne() {
        for (int i = 0; i < LOOKUPS; i++) {
            results[i] = table[indices[i]];
        }
    }

    private void permute() {
        ShortVector low = ShortVector.fromArray(SHORTS, table, 0);
        ShortVector high = ShortVector.fromArray(SHORTS, table, LANES);
        for (int i = 0; i < LOOKUPS; i += LANES) {
            ShortVector.fromArray(SHORTS, indices, i).selectFrom(low, high).intoArray(results, i);
        }
    }

    private void add() {
        for (int i = 0; i < LOOKUPS; i += LANES) {
            ShortVector.fromArray(SHORTS, indices, i).add((short) 1).intoArray(results, i);
        }
    }

    private static short[] shorts(int count, int below) {
        short[] numbers = new short[count];
        IntStream.range(0, count).forEach(i -> numbers[i] = (short) (i * 7 % below));
        return numbers;
    }
}
