package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import java.util.Set;
import javax.lang.model.element.Modifier;

/**
 * How vector code rounds, writes and reads arrays of numbers of each format. Rounding and storing kept entries is here
 * alone, so a format costs packing one method.
 */
final class StoredVectors {

    private static final String ROUND_BFLOAT16 = """
            IntVector bits = FloatVector.fromArray(FLOATS, numbers, PLACE).reinterpretAsInts();
            IntVector rounded = bits.add(0x7FFF).add(bits.lanewise(LSHR, 16).and(1));
        """;

    /** What floats beyond 2^23 cannot hold is rounded off, to the nearest and ties to even. */
    private static final String TO_INTEGERS = "12582912";

    private StoredVectors() {}

    static String store(NumberFormat format) {
        return StoredNumbers.store(format);
    }

    static String load(NumberFormat format) {
        return StoredNumbers.load(format);
    }

    /** Returns the statement that rounds the first numbers of an array in place, as they are stored. */
    static String round(NumberFormat format, String numbers, String count) {
        return format == NumberFormat.FLOAT32 ? "" : "round%s(%s, %s);\n".formatted(name(format), numbers, count);
    }

    private static String name(NumberFormat format) {
        return StoredNumbers.store(format).substring("store".length());
    }

    /** Adds the methods of formats that are not quantised, and the scratch they take. */
    static void addTo(TypeSpec.Builder type, Set<NumberFormat> formats, Set<NumberFormat> rounded, String most) {
        StoredNumbers.addLayouts(type, formats);
        ScratchField.add(type, short.class, "shorts", most + " * BLOCK_TOKENS", "What is stored in 16 bits.");
        for (NumberFormat format : formats) {
            type.addMethod(storeNumbers(format));
            type.addMethod(loadNumbers(format));
            if (format != NumberFormat.FLOAT32 && rounded.contains(format)) {
                type.addMethod(roundNumbers(format));
            }
        }
    }

    private static MethodSpec storeNumbers(NumberFormat format) {
        return KernelMethods.step(store(format))
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "from")
                .addParameter(int.class, "count")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "offset")
                .addCode(KernelText.of(
                                switch (format) {
                                    case FLOAT32 -> "MemorySegment.copy(numbers, from, cache, FLOAT, offset, count);\n";
                                    case BFLOAT16 -> """
                                        for (int i = 0; i < count; i += LANES) {
                                        """ + ROUND_BFLOAT16.replace("PLACE", "from + i") + """
                                            ((ShortVector) rounded.lanewise(LSHR, 16).convertShape(I2S, HALF_SHORTS, 0)).intoArray(shorts, i);
                                        }
                                        MemorySegment.copy(shorts, 0, cache, SHORT, offset, count);
                                        """;
                                    case FLOAT16 -> """
                                        for (int i = 0; i < count; i++) {
                                            shorts[i] = Float.floatToFloat16(Math.max(-65504f, Math.min(65504f, numbers[from + i])));
                                        }
                                        MemorySegment.copy(shorts, 0, cache, SHORT, offset, count);
                                        """;
                                    case INT8, INT4 -> throw StoredNumbers.quantised(format);
                                })
                        .code())
                .build();
    }

    private static MethodSpec loadNumbers(NumberFormat format) {
        return KernelMethods.step(load(format))
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "offset")
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "from")
                .addParameter(int.class, "count")
                .addCode(KernelText.of(
                                switch (format) {
                                    case FLOAT32 -> "MemorySegment.copy(cache, FLOAT, offset, numbers, from, count);\n";
                                    case BFLOAT16 -> """
                                        MemorySegment.copy(cache, SHORT, offset, shorts, 0, count);
                                        for (int i = 0; i < count; i += LANES) {
                                            IntVector bits = (IntVector) ShortVector.fromArray(HALF_SHORTS, shorts, i)
                                                    .convertShape(ZERO_EXTEND_S2I, INTS, 0);
                                            bits.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(numbers, from + i);
                                        }
                                        """;
                                    case FLOAT16 -> """
                                        MemorySegment.copy(cache, SHORT, offset, shorts, 0, count);
                                        for (int i = 0; i < count; i++) {
                                            numbers[from + i] = Float.float16ToFloat(shorts[i]);
                                        }
                                        """;
                                    case INT8, INT4 -> throw StoredNumbers.quantised(format);
                                })
                        .code())
                .build();
    }

    private static MethodSpec roundNumbers(NumberFormat format) {
        return KernelMethods.step("round" + name(format))
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Rounds numbers as they are stored.\n")
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "count")
                .addCode(KernelText.of(
                                switch (format) {
                                    case BFLOAT16 -> """
                                        for (int i = 0; i < count; i += LANES) {
                                        """ + ROUND_BFLOAT16.replace("PLACE", "i") + """
                                            rounded.and(0xFFFF0000).reinterpretAsFloats().intoArray(numbers, i);
                                        }
                                        """;
                                    case FLOAT16 -> """
                                        for (int i = 0; i < count; i++) {
                                            short half = Float.floatToFloat16(Math.max(-65504f, Math.min(65504f, numbers[i])));
                                            numbers[i] = Float.float16ToFloat(half);
                                        }
                                        """;
                                    case FLOAT32, INT8, INT4 ->
                                        throw new IllegalArgumentException(format + " does not round");
                                })
                        .code())
                .build();
    }

    /** Adds the methods that store kept entries as integers under a scale per lane, and the scratch they take. */
    static void addQuantised(TypeSpec.Builder type, Set<NumberFormat> formats) {
        if (formats.isEmpty()) {
            return;
        }
        ScratchField.add(type, float.class, "residualScales", "BLOCK_TOKENS", "Scale of each lane's residuals.");
        for (NumberFormat format : formats) {
            type.addMethod(storeIntegersMethod(format));
        }
    }

    /** Returns the name of the method that stores kept entries as integers under a scale. */
    static String storeIntegers(NumberFormat format) {
        return format == NumberFormat.INT4 ? "storeInt4" : "storeInt8";
    }

    private static MethodSpec storeIntegersMethod(NumberFormat format) {
        boolean shared = format == NumberFormat.INT4;
        int limit = shared ? 7 : 127;
        return KernelMethods.step(storeIntegers(format))
                .addJavadoc("Stores what {@code keptEntries} holds as multiples, up to $L, of a scale that a lane's"
                        + " share.\n", limit)
                .addParameter(int.class, "kept")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "scales")
                .addParameter(long.class, "residuals")
                .addCode(KernelText.of("""
                    for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                        FloatVector largest = FloatVector.zero(FLOATS);
                        for (int place = lane; place < kept * BLOCK_TOKENS; place += BLOCK_TOKENS) {
                            largest = largest.max(FloatVector.fromArray(FLOATS, keptEntries, place).abs());
                        }
                        largest.div($limit:L).intoArray(residualScales, lane);
                    }
                    // As they are stored, so that their own rounding costs nothing.
                    roundBfloat16(residualScales, BLOCK_TOKENS);
                    storeBfloat16(residualScales, 0, BLOCK_TOKENS, cache, scales);
                    for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                        FloatVector scale = FloatVector.fromArray(FLOATS, residualScales, lane);
                        VectorMask<Float> zero = scale.compare(EQ, 0);
                        for (int place = lane; place < kept * BLOCK_TOKENS; place += BLOCK_TOKENS) {
                            // A float as large as that has no fraction: adding rounds to the nearest, ties to even.
                            FloatVector.fromArray(FLOATS, keptEntries, place)
                                    .div(scale)
                                    .add($toIntegers:L)
                                    .sub($toIntegers:L)
                                    .max(-$limit:L)
                                    .min($limit:L)
                                    .blend(0, zero)
                                    .intoArray(keptEntries, place);
                        }
                    }
                    """)
                        .addIf(!shared, """
                            int count = kept * BLOCK_TOKENS;
                            for (int i = 0; i < count; i++) {
                                bytes[i] = (byte) keptEntries[i];
                            }
                            """)
                        .addIf(shared, """
                            Arrays.fill(keptEntries, kept * BLOCK_TOKENS, (kept + kept % 2) * BLOCK_TOKENS, 0);
                            int count = (kept + 1) / 2 * BLOCK_TOKENS;
                            for (int i = 0; i < count; i++) {
                                int even = i / BLOCK_TOKENS * 2 * BLOCK_TOKENS + i % BLOCK_TOKENS;
                                bytes[i] = (byte) ((int) keptEntries[even] & 15 | (int) keptEntries[even + BLOCK_TOKENS] << 4);
                            }
                            """)
                        .add("""
                            MemorySegment.copy(bytes, 0, cache, ValueLayout.JAVA_BYTE, residuals, count);
                            """)
                        .with("limit", limit)
                        .with("toIntegers", TO_INTEGERS)
                        .code())
                .build();
    }
}
