package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.TypeSpec;
import javax.lang.model.element.Modifier;

/** A buffer that a kernel class keeps between calls, so that a decode step allocates nothing. */
final class ScratchField {

    private ScratchField() {}

    /** Adds a buffer of rows. */
    static void addRows(
            TypeSpec.Builder type, Class<?> element, String name, String rows, String length, String meaning) {
        type.addField(
                FieldSpec.builder(element.arrayType().arrayType(), name, Modifier.PRIVATE, Modifier.FINAL)
                        .addJavadoc("$L", meaning)
                        .initializer("new $T[$L][$L]", element, rows, length)
                        .build());
    }

    static void add(TypeSpec.Builder type, Class<?> element, String name, String length, String meaning) {
        type.addField(FieldSpec.builder(element.arrayType(), name, Modifier.PRIVATE, Modifier.FINAL)
                .addJavadoc("$L", meaning)
                .initializer("new $T[$L]", element, length)
                .build());
    }
}
