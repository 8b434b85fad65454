package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import java.util.Set;
import javax.lang.model.element.Modifier;

/** How plain Java reads and writes numbers that are not quantised, and the layouts it takes. */
final class StoredNumbers {

    private StoredNumbers() {}

    static String load(NumberFormat format) {
        return "load" + name(format);
    }

    static String store(NumberFormat format) {
        return "store" + name(format);
    }

    /** Returns what ends the names of a format's methods. */
    static String name(NumberFormat format) {
        return switch (format) {
            case FLOAT32 -> "Float32";
            case BFLOAT16 -> "Bfloat16";
            case FLOAT16 -> "Float16";
            case INT8, INT4 -> throw quantised(format);
        };
    }

    static IllegalArgumentException quantised(NumberFormat format) {
        return new IllegalArgumentException(format + " stores no numbers, but integers under a scale");
    }

    /** Adds the access methods of formats. */
    static void addAccess(TypeSpec.Builder type, Set<NumberFormat> formats) {
        addLayouts(type, formats);
        for (NumberFormat format : formats) {
            type.addMethod(loadMethod(format));
            type.addMethod(storeMethod(format));
        }
    }

    /** Adds the layouts that formats are read and written with. */
    static void addLayouts(TypeSpec.Builder type, Set<NumberFormat> formats) {
        type.addField(layout("SHORT", "OfShort", "JAVA_SHORT_UNALIGNED"));
        if (formats.contains(NumberFormat.FLOAT32)) {
            type.addField(layout("FLOAT", "OfFloat", "JAVA_FLOAT_UNALIGNED"));
        }
    }

    static FieldSpec layout(String name, String kind, String constant) {
        return FieldSpec.builder(
                        KernelText.VALUE_LAYOUT.nestedClass(kind),
                        name,
                        Modifier.PRIVATE,
                        Modifier.STATIC,
                        Modifier.FINAL)
                .initializer(KernelText.of("ValueLayout.$constant:L.withOrder(LITTLE_ENDIAN)")
                        .with("constant", constant)
                        .code())
                .build();
    }

    private static MethodSpec loadMethod(NumberFormat format) {
        return MethodSpec.methodBuilder(load(format))
                .addModifiers(Modifier.PRIVATE, Modifier.STATIC)
                .returns(float.class)
                .addParameter(KernelText.MEMORY_SEGMENT, "cache")
                .addParameter(long.class, "offset")
                .addStatement(
                        switch (format) {
                            case FLOAT32 -> "return cache.get(FLOAT, offset)";
                            case BFLOAT16 -> "return Float.intBitsToFloat(cache.get(SHORT, offset) << 16)";
                            case FLOAT16 -> "return Float.float16ToFloat(cache.get(SHORT, offset))";
                            case INT8, INT4 -> throw quantised(format);
                        })
                .build();
    }

    private static MethodSpec storeMethod(NumberFormat format) {
        MethodSpec.Builder method = MethodSpec.methodBuilder(store(format))
                .addModifiers(Modifier.PRIVATE, Modifier.STATIC)
                .addParameter(KernelText.MEMORY_SEGMENT, "cache")
                .addParameter(long.class, "offset")
                .addParameter(float.class, "number");
        return switch (format) {
            case FLOAT32 ->
                method.addStatement("cache.set(FLOAT, offset, number)").build();
            case BFLOAT16 ->
                method.addJavadoc("Rounds to nearest even.\n")
                        .addStatement("int bits = Float.floatToRawIntBits(number)")
                        .addStatement("int rounded = bits + 0x7FFF + (bits >>> 16 & 1)")
                        .addStatement("cache.set(SHORT, offset, (short) (rounded >> 16))")
                        .build();
            case FLOAT16 ->
                method.addJavadoc("Rounds to nearest even; what is beyond the largest binary16 becomes that.\n")
                        .addStatement("cache.set(SHORT, offset, Float.floatToFloat16(Math.clamp(number, -65504f,"
                                + " 65504f)))")
                        .build();
            case INT8, INT4 -> throw quantised(format);
        };
    }
}
