package dev.attune.examples.safetensors;

import dev.attune.examples.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * One tensor of a file, not yet converted.
 *
 * @param name its name in the file
 * @param type {@code BF16}, {@code F32} or {@code I32}
 * @param shape its dimensions, outermost first
 * @param data its bytes, little-endian, row-major; valid while the file is open
 */
public record Tensor(String name, String type, List<Integer> shape, MemorySegment data) {

    private static final ValueLayout.OfShort SHORTS =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INTS = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Returns the elements of a {@code BF16} or {@code F32} tensor whose shape must be the given one. */
    public float[] floats(int... expectedShape) {
        requireShape(expectedShape);
        float[] elements = new float[count()];
        switch (type) {
            case "BF16" -> {
                for (int i = 0; i < elements.length; i++) {
                    // A bfloat16 is the upper half of a binary32.
                    elements[i] = Float.intBitsToFloat(data.get(SHORTS, 2L * i) << 16);
                }
            }
            case "F32" -> {
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = Float.intBitsToFloat(data.get(INTS, 4L * i));
                }
            }
            default -> throw new InputException("tensor " + name + " holds " + type + ", not numbers in BF16 or F32");
        }
        return elements;
    }

    /** Returns the elements of an {@code I32} tensor. */
    public int[] ints() {
        if (!type.equals("I32")) {
            throw new InputException("tensor " + name + " holds " + type + ", not I32");
        }
        int[] elements = new int[count()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = data.get(INTS, 4L * i);
        }
        return elements;
    }

    private void requireShape(int... expected) {
        if (!shape.equals(Arrays.stream(expected).boxed().toList())) {
            throw new InputException("tensor " + name + " has shape " + shape + ", but config.json asks for "
                    + Arrays.toString(expected) + "; use the config.json that was saved with these weights");
        }
    }

    private int count() {
        return shape.stream().reduce(1, Math::multiplyExact);
    }
}
