package dev.attune.examples.llama;

import dev.attune.examples.linear.ParallelTasks;
import java.util.Arrays;

/**
 * Rotary position embedding with the rotate-half convention: channel {@code i} of the first half of a head turns
 * together with channel {@code i} of the second half, by {@code position * theta^(-2i / headDim)}.
 */
final class RotaryEmbedding {

    private static final int TASK_ROWS = 64;

    private final int half;
    private final float[] frequencies;
    private float[] cosines = {};
    private float[] sines = {};

    RotaryEmbedding(int headDim, double theta) {
        half = headDim / 2;
        frequencies = new float[half];
        for (int i = 0; i < half; i++) {
            frequencies[i] = (float) (1 / Math.pow(theta, 2.0 * i / headDim));
        }
    }

    /** Turns the first {@code heads} heads of every row, in place. */
    void apply(float[] array, int stride, int heads, int[] positions) {
        for (int position : positions) {
            ensure(position + 1);
        }
        int rows = positions.length;
        ParallelTasks.run((rows + TASK_ROWS - 1) / TASK_ROWS, task -> {
            int end = Math.min(rows, (task + 1) * TASK_ROWS);
            for (int row = task * TASK_ROWS; row < end; row++) {
                for (int head = 0; head < heads; head++) {
                    turn(array, row * stride + head * 2 * half, positions[row] * half);
                }
            }
        });
    }

    private void turn(float[] array, int first, int angle) {
        int second = first + half;
        for (int i = 0; i < half; i++) {
            float x = array[first + i];
            float y = array[second + i];
            array[first + i] = x * cosines[angle + i] - y * sines[angle + i];
            array[second + i] = y * cosines[angle + i] + x * sines[angle + i];
        }
    }

    /** Grows the tables {@code [positions][half]} to at least that many positions. */
    private void ensure(int positions) {
        int known = cosines.length / half;
        if (positions <= known) {
            return;
        }
        int grown = Math.max(positions, Math.max(64, 2 * known));
        cosines = Arrays.copyOf(cosines, grown * half);
        sines = Arrays.copyOf(sines, grown * half);
        for (int position = known; position < grown; position++) {
            for (int i = 0; i < half; i++) {
                // The angle is rounded to single precision first, as the models were trained.
                float angle = position * frequencies[i];
                cosines[position * half + i] = (float) Math.cos(angle);
                sines[position * half + i] = (float) Math.sin(angle);
            }
        }
    }
}
