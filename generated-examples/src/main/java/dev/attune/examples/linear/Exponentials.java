package dev.attune.examples.linear;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Maxima and exponentials of array slices: the elementwise half of a softmax. */
public final class Exponentials {

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    /** exp(x) underflows below; clamping here keeps the exponent's bits in range. */
    private static final float SMALLEST = -87;
    private static final float LARGEST = 88;

    private static final float LOG2_E = 1.44269504f;
    /** ln 2 in two parts, so that the reduced argument keeps its low bits. */
    private static final float LN_2_HIGH = 0.693359375f;
    private static final float LN_2_LOW = -2.12194440e-4f;
    /** Adding it rounds to an integer, which then sits in the low bits of the mantissa. */
    private static final float ROUND = 12_582_912f;

    private Exponentials() {}

    /** Returns the largest of {@code count} elements from {@code offset} on, negative infinity if there are none. */
    public static float maximum(float[] array, int offset, int count) {
        FloatVector largest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            largest = largest.max(FloatVector.fromArray(SPECIES, array, offset + i));
        }
        float maximum = largest.reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            maximum = Math.max(maximum, array[offset + i]);
        }
        return maximum;
    }

    /**
     * Computes {@code target[i] = exp(factor * source[i] + shift)} for {@code count} elements and returns their sum.
     * Accurate to a few units in the last place (the polynomial of Cephes' {@code expf}); arguments are clamped to
     * {@code [-87, 88]}.
     */
    public static float exponentials(
            float[] source, int sourceOffset, int count, float factor, float shift, float[] target, int targetOffset) {
        FloatVector factors = FloatVector.broadcast(SPECIES, factor);
        FloatVector shifts = FloatVector.broadcast(SPECIES, shift);
        FloatVector sum = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            FloatVector x = FloatVector.fromArray(SPECIES, source, sourceOffset + i)
                    .fma(factors, shifts).max(SMALLEST).min(LARGEST);
            // exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln 2 / 2.
            FloatVector rounded = x.mul(LOG2_E).add(ROUND);
            FloatVector n = rounded.sub(ROUND);
            FloatVector r = n.fma(FloatVector.broadcast(SPECIES, -LN_2_HIGH), x);
            r = n.fma(FloatVector.broadcast(SPECIES, -LN_2_LOW), r);
            FloatVector p = FloatVector.broadcast(SPECIES, 1.9875691500e-4f);
            p = p.fma(r, FloatVector.broadcast(SPECIES, 1.3981999507e-3f));
            p = p.fma(r, FloatVector.broadcast(SPECIES, 8.3334519073e-3f));
            p = p.fma(r, FloatVector.broadcast(SPECIES, 4.1665795894e-2f));
            p = p.fma(r, FloatVector.broadcast(SPECIES, 1.6666665459e-1f));
            p = p.fma(r, FloatVector.broadcast(SPECIES, 5.0000001201e-1f));
            p = p.fma(r.mul(r), r).add(1);
            // Multiply by 2^n by adding n to the exponent's bits.
            IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
            FloatVector result = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
            result.intoArray(target, targetOffset + i);
            sum = sum.add(result);
        }
        float total = sum.reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            float x = Math.max(SMALLEST, Math.min(LARGEST, factor * source[sourceOffset + i] + shift));
            target[targetOffset + i] = (float) Math.exp(x);
            total += target[targetOffset + i];
        }
        return total;
    }
}
