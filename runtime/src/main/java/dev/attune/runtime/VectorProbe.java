package dev.attune.runtime;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_I2L;

import java.util.EnumSet;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Finds out by a short measurement which operations on vectors this JVM compiles to instructions. One that is not
 * compiled makes an object per vector and loops over its lanes. Touches the Vector API: loaded only once its module is
 * known to be resolved.
 *
 * <p>The yardstick is copying sixteen times as many numbers, which is compiled from the start. Compiled operations take
 * a tenth to a third of its time (seen on x86 with AVX, AVX2 and AVX-512), uncompiled ones twice its time at least.
 * Only: every method starts out uncompiled, for how long depends on the load of the machine. An addition of vectors
 * beside the others tells these cases apart. Once it is compiled, the others get a multiple of that time.
 */
final class VectorProbe {

    /** Numbers of 16 bits of one pass, and of others as many vectors: a pass takes 30 to 130 ns if compiled. */
    private static final int NUMBERS = 1024;

    /** Numbers of the yardstick: some hundred nanoseconds, well above the clock's resolution. */
    private static final int COPIED = 16 * NUMBERS;

    /** Passes of the yardstick before anything is compared to it. */
    private static final int COPIES = 50;

    /** A JVM that does not compile an addition of vectors in this time never does. */
    private static final long LONGEST_NANOS = 10_000_000_000L;

    /** The other operations are given this many times as long as the addition took to be compiled... */
    private static final int PATIENCE = 4;

    /** ...but not less than this: other processes may wake up in between. */
    private static final long SHORTEST_NANOS = 3_000_000_000L;

    /** A permute is quick if it takes less than this many times as long as an addition: 1 on AVX-512, 5 on AVX2. */
    private static final double QUICK = 2.5;

    /** Passes that are timed together where two compiled operations are compared: well above the clock's resolution. */
    private static final int PASSES = 16;

    /** How often they are; the fastest counts, which other processes did not disturb. */
    private static final int COMPARISONS = 2000;

    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

    private static final int LANES = SHORTS.length();

    private final short[] table = shorts(2 * LANES, 3);
    private final short[] indices = shorts(NUMBERS, 2 * LANES);
    private final short[] results = new short[NUMBERS];
    private final float[] floats = new float[NUMBERS];
    private final long[] longs = new long[NUMBERS];
    private final short[] original = new short[COPIED];
    private final short[] copy = new short[COPIED];
    private boolean greater;
    private boolean anyCompiled;

    private VectorProbe() {}

    /** Holds what default variants are built on, so that it is measured once in a JVM, with this class initialised. */
    private static final class OfDefaults {
        private static final VectorProbe PROBE = new VectorProbe();
        private static final Set<VectorOperation> COMPILED =
                PROBE.measure(EnumSet.of(VectorOperation.PERMUTE, VectorOperation.MULTIPLY_ADD));
    }

    /** The same of rows of heads; apart, since it is rarely asked for and takes the compiler longer. */
    private static final class OfRows {
        private static final Set<VectorOperation> COMPILED = OfDefaults.PROBE.anyCompiled
                ? OfDefaults.PROBE.measure(EnumSet.of(VectorOperation.ARITHMETIC))
                : Set.of();
    }

    /** Holds how quick permutes are; apart, since only some specifications have a choice. */
    private static final class OfPermutes {
        private static final boolean QUICK =
                OfDefaults.COMPILED.contains(VectorOperation.PERMUTE) && OfDefaults.PROBE.permutesQuickly();
    }

    /**
     * Returns whether an operation is compiled to instructions, for vectors of the preferred width. Measures the first
     * time: a fraction of a second if it is, seconds if not, up to {@link #LONGEST_NANOS} if nothing is.
     */
    static boolean compiles(VectorOperation operation) {
        return switch (operation) {
            case PERMUTE, MULTIPLY_ADD -> OfDefaults.COMPILED.contains(operation);
            case QUICK_PERMUTE -> OfPermutes.QUICK;
            case ARITHMETIC -> OfRows.COMPILED.contains(operation);
        };
    }

    /** Compares compiled permutes with additions, once these are compiled, too. */
    private boolean permutesQuickly() {
        long start = System.nanoTime();
        long copying = nanos(this::copy);
        long permuting = Long.MAX_VALUE;
        long adding = Long.MAX_VALUE;
        for (int i = 0; i < COMPARISONS || adding > PASSES * copying; i++) {
            copying = Math.min(copying, nanos(this::copy));
            permuting = Math.min(permuting, nanos(() -> repeat(this::permute)));
            adding = Math.min(adding, nanos(() -> repeat(this::add)));
            if (System.nanoTime() - start > LONGEST_NANOS) {
                break;
            }
        }
        return permuting < QUICK * adding;
    }

    private static void repeat(Runnable pass) {
        for (int i = 0; i < PASSES; i++) {
            pass.run();
        }
    }

    private Set<VectorOperation> measure(EnumSet<VectorOperation> operations) {
        long start = System.nanoTime();
        long longest = LONGEST_NANOS;
        // The first may have to wait for a processor, or for memory.
        long copying = LongStream.range(0, COPIES).map(pass -> nanos(this::copy)).min().getAsLong();
        EnumSet<VectorOperation> compiled = EnumSet.noneOf(VectorOperation.class);
        while (!compiled.equals(operations)) {
            copying = Math.min(copying, nanos(this::copy));
            for (VectorOperation operation : operations) {
                if (!compiled.contains(operation) && nanos(pass(operation)) < copying) {
                    compiled.add(operation);
                    anyCompiled = true;
                }
            }
            long elapsed = System.nanoTime() - start;
            if (longest == LONGEST_NANOS && nanos(this::add) < copying) {
                anyCompiled = true;
                longest = Math.clamp(PATIENCE * elapsed, SHORTEST_NANOS, LONGEST_NANOS);
            }
            if (elapsed > longest) {
                break;
            }
        }
        return compiled;
    }

    private Runnable pass(VectorOperation operation) {
        return switch (operation) {
            case PERMUTE, QUICK_PERMUTE -> this::permute;
            case MULTIPLY_ADD -> this::multiplyAdd;
            case ARITHMETIC -> this::calculate;
        };
    }

    private static long nanos(Runnable pass) {
        long start = System.nanoTime();
        pass.run();
        return System.nanoTime() - start;
    }

    private void copy() {
        System.arraycopy(original, 0, copy, 0, COPIED);
    }

    private void permute() {
        ShortVector low = ShortVector.fromArray(SHORTS, table, 0);
        ShortVector high = ShortVector.fromArray(SHORTS, table, LANES);
        for (int i = 0; i < NUMBERS; i += LANES) {
            ShortVector.fromArray(SHORTS, indices, i).selectFrom(low, high).intoArray(results, i);
        }
    }

    private void multiplyAdd() {
        FloatVector half = FloatVector.broadcast(FLOATS, 0.5f);
        for (int i = 0; i < NUMBERS; i += LANES) {
            FloatVector.fromArray(FLOATS, floats, i).fma(half, half).intoArray(floats, i);
        }
    }

    private void calculate() {
        boolean any = false;
        for (int i = 0; i < NUMBERS; i += LANES) {
            FloatVector number = FloatVector.fromArray(FLOATS, floats, i).mul(0.5f).add(0.5f).max(0);
            any |= number.compare(GT, 0.75f).anyTrue();
            number.reinterpretAsInts().convertShape(ZERO_EXTEND_I2L, LONGS, 0).reinterpretAsLongs().intoArray(longs, i);
        }
        greater = any;
    }

    private void add() {
        for (int i = 0; i < NUMBERS; i += LANES) {
            ShortVector.fromArray(SHORTS, indices, i).add((short) 1).intoArray(results, i);
        }
    }

    private static short[] shorts(int count, int below) {
        short[] numbers = new short[count];
        IntStream.range(0, count).forEach(i -> numbers[i] = (short) (i * 7 % below));
        return numbers;
    }
}
