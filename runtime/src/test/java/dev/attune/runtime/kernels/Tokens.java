package dev.attune.runtime.kernels;

import java.util.Random;

/**
 * Random tokens of one key-value head with what real ones have: a few strong channels that hardly change from token to
 * token, weak ones, exact zeros and equal magnitudes.
 *
 * @param keys {@code [count][headDim]}
 * @param values {@code [count][headDim]}
 */
record Tokens(int count, int headDim, float[] keys, float[] values) {

    static Tokens random(Random random, int count, int headDim) {
        float[] offsets = new float[headDim];
        float[] strengths = new float[headDim];
        for (int channel = 0; channel < headDim; channel++) {
            offsets[channel] = (float) random.nextGaussian();
            strengths[channel] = (float) Math.exp(random.nextGaussian() - 0.5);
        }
        float[] keys = new float[count * headDim];
        float[] values = new float[count * headDim];
        for (int i = 0; i < count * headDim; i++) {
            int channel = i % headDim;
            keys[i] = offsets[channel] + strengths[channel] * (float) random.nextGaussian();
            values[i] = (float) random.nextGaussian() * strengths[headDim - 1 - channel];
            if (random.nextInt(50) == 0) {
                keys[i] = 0;
                values[i] = 0;
            }
            if (random.nextInt(20) == 0 && i >= headDim) {
                keys[i] = -keys[i - headDim];
                values[i] = -values[i - headDim];
            }
        }
        return new Tokens(count, headDim, keys, values);
    }

    /** Returns the 64 keys of a tile; one that has fewer is filled by repeating them. */
    float[] keysOfTile(int tile) {
        return rows(keys, tile);
    }

    /** Returns the 64 values of a tile, likewise. */
    float[] valuesOfTile(int tile) {
        return rows(values, tile);
    }

    private float[] rows(float[] rows, int tile) {
        float[] copy = new float[64 * headDim];
        int from = tile * copy.length;
        int available = Math.min(copy.length, rows.length - from);
        for (int i = 0; i < copy.length; i++) {
            copy[i] = rows[from + i % available];
        }
        return copy;
    }
}
