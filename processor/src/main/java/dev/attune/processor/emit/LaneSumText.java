package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import javax.lang.model.element.Modifier;

/**
 * Sums across lanes in a fixed order. That of {@code reduceLanes} is not fixed: results would change by a rounding when
 * the just-in-time compiler replaces the interpreter. In place, since a vector handed to a method may become an object.
 * By rotations, or lane by lane in the same order where there are no permutes.
 */
final class LaneSumText {

    private final int lanes;
    private final boolean rotates;

    LaneSumText(KernelPlan plan) {
        this.lanes = plan.lanes();
        this.rotates = !plan.gathers();
    }

    /** Adds the rotations that sums take. */
    void addTo(TypeSpec.Builder type) {
        for (int distance = lanes / 2; rotates && distance > 0; distance /= 2) {
            type.addField(FieldSpec.builder(
                            ParameterizedTypeName.get(KernelText.VECTOR_SHUFFLE, ClassName.get(Float.class)),
                            "ROTATION_" + distance,
                            Modifier.PRIVATE,
                            Modifier.STATIC,
                            Modifier.FINAL)
                    .addJavadoc("Moves every lane by " + distance + ".")
                    .initializer("$T.iota(FLOATS, $L, 1, true)", KernelText.VECTOR_SHUFFLE, distance)
                    .build());
        }
    }

    /** Returns the statements that come before {@link #of}; the vector is of no other use after them. */
    String prepare(String vector) {
        StringBuilder text = new StringBuilder();
        for (int distance = lanes / 2; rotates && distance > 0; distance /= 2) {
            text.append("VECTOR = VECTOR.add(VECTOR.rearrange(ROTATION_%d));\n".formatted(distance));
        }
        return text.toString().replace("VECTOR", vector);
    }

    /** Returns the expression of a vector's sum. */
    String of(String vector) {
        return rotates ? vector + ".lane(0)" : sum(vector, 0, 1);
    }

    /** Returns the sum of every lane that is a multiple of {@code distance} away from the first. */
    private String sum(String vector, int first, int distance) {
        if (distance == lanes) {
            return "%s.lane(%d)".formatted(vector, first);
        }
        String plus = distance == 1 && lanes > 4 ? "\n        + " : " + ";
        String sum = sum(vector, first, 2 * distance) + plus + sum(vector, first + distance, 2 * distance);
        return distance == 1 ? sum : "(" + sum + ")";
    }
}
