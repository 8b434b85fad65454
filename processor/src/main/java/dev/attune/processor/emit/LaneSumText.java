package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeSpec;
import javax.lang.model.element.Modifier;

/**
 * Sums across lanes in a fixed order. That of {@code reduceLanes} is not fixed: results would change by a rounding when
 * the just-in-time compiler replaces the interpreter. In place, since a vector handed to a method may become an object.
 */
final class LaneSumText {

    private LaneSumText() {}

    /** Adds the rotations that sums take. */
    static void addTo(TypeSpec.Builder type, int lanes) {
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
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

    /** Returns the statements after which every lane of a vector is the sum of all. */
    static String add(String vector, int lanes) {
        StringBuilder text = new StringBuilder();
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            text.append("VECTOR = VECTOR.add(VECTOR.rearrange(ROTATION_%d));\n".formatted(distance));
        }
        return text.toString().replace("VECTOR", vector);
    }
}
