package dev.attune.processor.emit;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import javax.lang.model.element.Modifier;

/**
 * Sums of numbers under packed signs, four at a time: a table holds all 16 signed sums of four numbers, and four bits
 * of a sign word select one. The numbers are 16-bit fixed point, scaled so that no sum can overflow.
 */
final class SignSumText {

    private SignSumText() {}

    /** Adds what makes the tables. */
    static void addTo(TypeSpec.Builder type, int vectorBits) {
        type.addField(FieldSpec.builder(int.class, "SIGNED", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("Entries of a table of signed sums: 16, repeated to fill a vector.")
                .initializer("Math.max(16, STEP)")
                .build());
        type.addField(FieldSpec.builder(
                        ArrayTypeName.of(int.class), "SIGNS", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("[4][16]: whether an entry adds (+1) or subtracts (-1) the first to fourth number.")
                .initializer("signs()")
                .build());
        type.addMethod(MethodSpec.methodBuilder("signs")
                .addModifiers(Modifier.PRIVATE, Modifier.STATIC)
                .returns(ArrayTypeName.of(int.class))
                .addCode(KernelText.of("""
                    int[] signs = new int[4 * 16];
                    for (int number = 0; number < 4; number++) {
                        for (int entry = 0; entry < 16; entry++) {
                            signs[number * 16 + entry] = (entry >>> number & 1) == 1 ? 1 : -1;
                        }
                    }
                    return signs;
                    """).code())
                .build());
        type.addMethod(KernelMethods.step("toFixedPoint")
                .addJavadoc("""
                    Rounds numbers to fixed point, in sixteenths of a unit such that no signed sum of them exceeds 16 bits, and
                    returns the unit. A signed sum read from the tables is off by at most 5/32 of a unit per number: half a unit
                    per table of four, and a thirty-second per number.

                    @param range sum of the magnitudes
                    """)
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "from")
                .addParameter(int.class, "count")
                .addParameter(float.class, "range")
                .returns(float.class)
                .addCode(KernelText.of("""
                    // A smaller range is beneath what a float can tell beside the other terms, and has no inverse.
                    float unit = range > 1e-30f ? range / (Short.MAX_VALUE - count / 4) : 0;
                    float sixteenths = unit > 0 ? 16 / unit : 0;
                    for (int i = 0; i < count; i += LANES) {
                        FloatVector number = FloatVector.fromArray(FLOATS, numbers, from + i).mul(sixteenths);
                        FloatVector half = FloatVector.broadcast(FLOATS, 0.5f).blend(-0.5f, number.compare(LT, 0));
                        ((IntVector) number.add(half).convert(F2I, 0)).intoArray(fixed, i);
                    }
                    return unit;
                    """).code())
                .build());
        type.addMethod(KernelMethods.step("tabulateSigns")
                .addJavadoc(
                        "Makes a table of all signed sums of every four fixed-point numbers, rounded to whole units.\n")
                .addParameter(int.class, "tables")
                .addParameter(ArrayTypeName.of(short.class), "target")
                .addParameter(int.class, "to")
                .addCode(KernelText.of("""
                    for (int entry = 0; entry < 16; entry += LANES) {
                        IntVector signs0 = IntVector.fromArray(INTS, SIGNS, entry);
                        IntVector signs1 = IntVector.fromArray(INTS, SIGNS, 16 + entry);
                        IntVector signs2 = IntVector.fromArray(INTS, SIGNS, 32 + entry);
                        IntVector signs3 = IntVector.fromArray(INTS, SIGNS, 48 + entry);
                        for (int table = 0; table < tables; table++) {
                            IntVector sixteenths = signs0.mul(fixed[4 * table])
                                    .add(signs1.mul(fixed[4 * table + 1]))
                                    .add(signs2.mul(fixed[4 * table + 2]))
                                    .add(signs3.mul(fixed[4 * table + 3]));
                            ShortVector units = (ShortVector) sixteenths.add(8)
                                    .lanewise(ASHR, 4)
                                    .convertShape(I2S, HALF_SHORTS, 0);
                            units.intoArray(target, to + table * SIGNED + entry);
                    """)
                        .addIf(vectorBits == 512, """
                                    units.intoArray(target, to + table * SIGNED + 16);
                            """)
                        .add("""
                                }
                            }
                            """)
                        .code())
                .build());
    }

    /**
     * Returns the loop over sign words that leaves the fixed-point sums in {@code sum0}, {@code sum1}, ...
     *
     * @param heads query heads of the pass
     * @param words sign words of one step
     * @param address of the step's word {@code word}
     * @param array the tables' array, {@code [heads][4 * words][SIGNED]} from index {@code table} on
     * @param stepShorts 16-bit lanes of a vector
     */
    static String sums(int heads, String words, String address, String array, String tablesPerHead, int stepShorts) {
        StringBuilder text = new StringBuilder();
        text.append(Pass.perHead(heads, "ShortVector sum# = ShortVector.zero(SHORTS);\n"));
        text.append("""
            for (int word = 0; word < %s; word++) {
                long place = %s;
                ShortVector signs = ShortVector.fromMemorySegment(SHORTS, cache, place, LITTLE_ENDIAN);
                ShortVector nibble0 = signs.and((short) 15);
                ShortVector nibble1 = signs.lanewise(LSHR, 4).and((short) 15);
                ShortVector nibble2 = signs.lanewise(LSHR, 8).and((short) 15);
                ShortVector nibble3 = signs.lanewise(LSHR, 12).and((short) 15);
            """.formatted(words, address));
        for (int head = 0; head < heads; head++) {
            text.append("    int table%d = (%s * %s + 4 * word) * SIGNED;\n"
                    .formatted(head, plus("g", head), tablesPerHead));
            text.append("    sum%d = sum%d".formatted(head, head));
            for (int nibble = 0; nibble < 4; nibble++) {
                String entry =
                        "table" + head + (nibble == 0 ? "" : " + " + (nibble == 1 ? "" : nibble + " * ") + "SIGNED");
                text.append("%s.add(nibble%d.selectFrom(%s))"
                        .formatted(
                                nibble == 0 ? "" : "\n            ", nibble, tableVectors(array, entry, stepShorts)));
            }
            text.append(";\n");
        }
        return text.append("}\n").toString();
    }

    /** A table fills one vector, or two where a vector has only 8 lanes. */
    private static String tableVectors(String array, String entry, int stepShorts) {
        String first = "ShortVector.fromArray(SHORTS, %s, %s)".formatted(array, entry);
        return stepShorts >= 16
                ? first
                : first + ",\n                    ShortVector.fromArray(SHORTS, %s, %s + STEP)".formatted(array, entry);
    }

    static String plus(String variable, int number) {
        return number == 0 ? variable : "(" + variable + " + " + number + ")";
    }
}
