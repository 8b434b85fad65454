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

    private StoredVectors() {}

    static String store(NumberFormat format) {
        return StoredNumbers.store(format);
    }

    static String load(NumberFormat format) {
        return StoredNumbers.load(format);
    }

    /** Returns the statement that rounds the first numbers of an array in place, as they are stored. */
    static String round(NumberFormat format, String numbers, String count) {
        return format == NumberFormat.FLOAT32
                ? ""
                : "round%s(%s, %s);\n".formatted(StoredNumbers.name(format), numbers, count);
    }

    /** Adds the methods of formats that are not quantised, and the scratch they take. */
    static void addTo(TypeSpec.Builder type, Set<NumberFormat> formats, Set<NumberFormat> rounded, String most) {
        StoredNumbers.addLayouts(type, formats);
        ScratchField.add(type, short.class, "shorts", most + " * BLOCK_TOKENS", "What is stored in 16 bits.");
        for (NumberFormat format : formats) {
            if (format != NumberFormat.FLOAT32) {
                type.addMethod(narrowNumbers(format));
            }
            type.addMethod(storeNumbers(format));
            type.addMethod(loadNumbers(format));
            if (format != NumberFormat.FLOAT32 && rounded.contains(format)) {
                type.addMethod(roundNumbers(format));
            }
        }
    }

    private static MethodSpec narrowNumbers(NumberFormat format) {
        return KernelMethods.step("to" + StoredNumbers.name(format))
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "from")
                .addParameter(int.class, "count")
                .addCode(KernelText.of(
                                switch (format) {
                                    case BFLOAT16 -> """
                                        for (int i = 0; i < count; i += LANES) {
                                        """ + ROUND_BFLOAT16.replace("PLACE", "from + i") + """
                                            ((ShortVector) rounded.lanewise(LSHR, 16).convertShape(I2S, HALF_SHORTS, 0))
                                                    .intoArray(shorts, i);
                                        }
                                        """;
                                    case FLOAT16 -> """
                                        for (int i = 0; i < count; i++) {
                                            float number = Math.max(-65504f, Math.min(65504f, numbers[from + i]));
                                            shorts[i] = Float.floatToFloat16(number);
                                        }
                                        """;
                                    case FLOAT32, INT8, INT4 ->
                                        throw new IllegalArgumentException(format + " does not narrow to 16 bits");
                                })
                        .code())
                .build();
    }

    private static MethodSpec storeNumbers(NumberFormat format) {
        return KernelMethods.step(store(format))
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "from")
                .addParameter(int.class, "count")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "offset")
                .addCode(KernelText.of(
                                format == NumberFormat.FLOAT32
                                        ? "MemorySegment.copy(numbers, from, cache, FLOAT, offset, count);\n"
                                        : """
                                            $narrow:L(numbers, from, count);
                                            MemorySegment.copy(shorts, 0, cache, SHORT, offset, count);
                                            """)
                        .with("narrow", "to" + StoredNumbers.name(format))
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
        return KernelMethods.step("round" + StoredNumbers.name(format))
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
                                            float number = Math.max(-65504f, Math.min(65504f, numbers[i]));
                                            numbers[i] = Float.float16ToFloat(Float.floatToFloat16(number));
                                        }
                                        """;
                                    case FLOAT32, INT8, INT4 ->
                                        throw new IllegalArgumentException(format + " does not round");
                                })
                        .code())
                .build();
    }

    /** Adds the method that makes kept entries integers under a scale per lane, and the scratch it takes. */
    static void addQuantise(TypeSpec.Builder type) {
        ScratchField.add(type, float.class, "residualScales", "BLOCK_TOKENS", "Scale of each lane's residuals.");
        type.addMethod(KernelMethods.step("quantise")
                .addJavadoc("""
                    Makes {@code keptEntries} multiples, up to a limit, of a scale that a lane's share; stores the \
                    scales.
                    """)
                .addParameter(int.class, "kept")
                .addParameter(float.class, "limit")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "scales")
                .addCode(KernelText.of("""
                    for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                        FloatVector largest = FloatVector.zero(FLOATS);
                        for (int place = lane; place < kept * BLOCK_TOKENS; place += BLOCK_TOKENS) {
                            largest = largest.max(FloatVector.fromArray(FLOATS, keptEntries, place).abs());
                        }
                        largest.div(limit).intoArray(residualScales, lane);
                    }
                    // As they are stored, so that their own rounding costs nothing.
                    roundBfloat16(residualScales, BLOCK_TOKENS);
                    storeBfloat16(residualScales, 0, BLOCK_TOKENS, cache, scales);
                    for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                        FloatVector scale = FloatVector.fromArray(FLOATS, residualScales, lane);
                        VectorMask<Float> zero = scale.compare(EQ, 0);
                        for (int place = lane; place < kept * BLOCK_TOKENS; place += BLOCK_TOKENS) {
                            // A float as large as that has no fraction: adding rounds to the nearest, ties to even.
                            FloatVector multiple = FloatVector.fromArray(FLOATS, keptEntries, place)
                                    .div(scale)
                                    .add(12582912)
                                    .sub(12582912)
                                    .max(-limit)
                                    .min(limit)
                                    .blend(0, zero);
                            IntVector integer = (IntVector) multiple.convert(F2I, 0);
                            ((ShortVector) integer.convertShape(I2S, HALF_SHORTS, 0)).intoArray(shorts, place);
                        }
                    }
                    """).code())
                .build());
    }

    /** Returns the statements that bring the kept entries of a side into the scratch they are stored from. */
    static String narrow(PackedSide side) {
        String count = "$kept:L * $lanes:L";
        return switch (side.format()) {
            case FLOAT32 -> "";
            case BFLOAT16, FLOAT16 -> "to%s(keptEntries, 0, %s);\n".formatted(StoredNumbers.name(side.format()), count);
            case INT8 -> quantise(127);
            case INT4 -> quantise(7)
                    + (side.kept() % 2 == 0
                            ? ""
                            : "Arrays.fill(shorts, %s, ($kept:L + 1) * $lanes:L, (short) 0);\n".formatted(count));
        };
    }

    private static String quantise(int limit) {
        return "quantise($kept:L, %d, cache, block + $constant:L_RESIDUAL_SCALES);\n".formatted(limit);
    }

    /** Returns the statements that store the residuals of STEP lanes of a {@code slot}, which are number {@code at}. */
    static String storeResiduals(PackedSide side) {
        String address = side.slots().residualAddress("place", "lane");
        return switch (side.format()) {
            case FLOAT32 -> """
                FloatVector.fromArray(FLOATS, keptEntries, at)
                        .intoMemorySegment(cache, ADDRESS, LITTLE_ENDIAN);
                FloatVector.fromArray(FLOATS, keptEntries, at + LANES)
                        .intoMemorySegment(cache, ADDRESS + LANES * 4L, LITTLE_ENDIAN);
                """.replace("ADDRESS", address);
            case BFLOAT16, FLOAT16 -> """
                ShortVector.fromArray(SHORTS, shorts, at).intoMemorySegment(cache, ADDRESS, LITTLE_ENDIAN);
                """.replace("ADDRESS", address);
            case INT8 -> bytes("ShortVector.fromArray(SHORTS, shorts, at)", address);
            case INT4 -> """
                if (slot % 2 == 0) {
                    ShortVector even = ShortVector.fromArray(SHORTS, shorts, at).and((short) 15);
                    ShortVector odd = ShortVector.fromArray(SHORTS, shorts, at + $lanes:L).lanewise(LSHL, 4);
                """ + bytes("even.or(odd)", address).indent(4) + "}\n";
        };
    }

    /** Returns the statement that stores the lower bytes of 16-bit integers. */
    static String bytes(String shorts, String address) {
        return """
            ((ByteVector) SOURCE.convertShape(S2B, BYTES, 0))
                    .intoMemorySegment(cache, ADDRESS, LITTLE_ENDIAN);
            """.replace("SOURCE", shorts).replace("ADDRESS", address);
    }
}
