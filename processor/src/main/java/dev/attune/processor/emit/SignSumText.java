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

    /** Adds what makes the tables of queries, once per query: these are rounded once per entry. */
    static void addQueryTables(TypeSpec.Builder type, int vectorBits) {
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
                    Rounds a query to fixed point, in sixteenths of a unit such that no signed sum of it exceeds 16 \
                    bits, and
                    returns the unit. A signed sum read from the tables is off by at most 5/32 of a unit per channel: \
                    half a
                    unit per table of four, and a thirty-second per channel.

                    @param from where the query begins among the scaled ones
                    @param range sum of its magnitudes
                    """)
                .addParameter(int.class, "from")
                .addParameter(float.class, "range")
                .returns(float.class)
                .addCode(KernelText.of("""
                // A smaller range is beneath what a float can tell beside the other terms, and has no inverse.
                float unit = range > 1e-30f ? range / (Short.MAX_VALUE - HEAD_DIM / 4) : 0;
                float sixteenths = unit > 0 ? 16 / unit : 0;
                for (int channel = 0; channel < HEAD_DIM; channel += LANES) {
                    FloatVector number = FloatVector.fromArray(FLOATS, scaledQueries, from + channel).mul(sixteenths);
                    FloatVector half = FloatVector.broadcast(FLOATS, 0.5f).blend(-0.5f, number.compare(LT, 0));
                    ((IntVector) number.add(half).convert(F2I, 0)).intoArray(fixed, channel);
                }
                return unit;
                """).code())
                .build());
        type.addMethod(KernelMethods.step("tabulateSigns")
                .addJavadoc("Makes a table of all signed sums of every four channels in fixed point, rounded to whole"
                        + " units.\n")
                .addParameter(int.class, "to")
                .addCode(KernelText.of("""
                    for (int entry = 0; entry < 16; entry += LANES) {
                        IntVector signs0 = IntVector.fromArray(INTS, SIGNS, entry);
                        IntVector signs1 = IntVector.fromArray(INTS, SIGNS, 16 + entry);
                        IntVector signs2 = IntVector.fromArray(INTS, SIGNS, 32 + entry);
                        IntVector signs3 = IntVector.fromArray(INTS, SIGNS, 48 + entry);
                        for (int table = 0; table < HEAD_DIM / 4; table++) {
                            IntVector sixteenths = signs0.mul(fixed[4 * table])
                                    .add(signs1.mul(fixed[4 * table + 1]))
                                    .add(signs2.mul(fixed[4 * table + 2]))
                                    .add(signs3.mul(fixed[4 * table + 3]));
                            ((ShortVector) sixteenths.add(8).lanewise(ASHR, 4).convertShape(I2S, HALF_SHORTS, 0))
                                    .intoArray(querySigns, to + table * 16 + entry);
                        }
                    }
                    """).code())
                .build());
    }

    /** Adds what makes the tables of weights, once per tile: a few instructions for four tokens. */
    static void addWeightTables(TypeSpec.Builder type) {
        type.addField(FieldSpec.builder(
                        KernelText.SHORT_VECTOR, "ALTERNATING", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("1, -1, 1, -1 and so on.")
                .initializer("$T.broadcast(INTS, 0xFFFF0001).reinterpretAsShorts()", KernelText.INT_VECTOR)
                .build());
        type.addField(FieldSpec.builder(
                        KernelText.SHORT_VECTOR, "EVEN_SHORTS", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("Selects the lower halves of the ints in two vectors.")
                .initializer("$T.zero(SHORTS).addIndex(2)", KernelText.SHORT_VECTOR)
                .build());
        pairs(type, "FIRST_PAIRS", 0, "Where tables find the signed sums of the first two of their four numbers.");
        pairs(type, "SECOND_PAIRS", 1, "Where they find those of the other two.");
        type.addMethod(MethodSpec.methodBuilder("pairs")
                .addModifiers(Modifier.PRIVATE, Modifier.STATIC)
                .addParameter(int.class, "which")
                .returns(ArrayTypeName.of(short.class))
                .addCode(KernelText.of("""
                short[] places = new short[4 * STEP];
                for (int entry = 0; entry < places.length; entry++) {
                    int pair = entry / 16 * 2 + which;
                    int signs = entry >>> 2 * which & 3;
                    // Sums under equal signs are in the first vector, differences in the second; each is followed by
                    // its negative.
                    int vector = signs == 0 || signs == 3 ? 0 : STEP;
                    places[entry] = (short) (vector + 2 * pair + (signs & 1 ^ 1));
                }
                return places;
                """).code())
                .build());
    }

    private static void pairs(TypeSpec.Builder type, String name, int which, String meaning) {
        type.addField(FieldSpec.builder(
                        ArrayTypeName.of(short.class), name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer("pairs($L)", which)
                .build());
    }

    /**
     * Returns the loop over sign words that leaves the fixed-point sums in {@code sum#@}.
     *
     * @param pass the heads and tiles
     * @param words sign words of one step
     * @param address of the step's {@code word}
     * @param array the tables' array
     * @param firstTable number of the first table
     */
    static String sums(Pass pass, String words, String address, String array, String firstTable) {
        int stepShorts = 2 * pass.plan().lanes();
        boolean tablesOfTile = firstTable.contains("~");
        String table = tablesOfTile ? "table#@" : "table#";
        String declaration = "int %s = (%s + 4 * word) * 16;\n".formatted(table, firstTable);
        StringBuilder sum = new StringBuilder("sum#@ = sum#@");
        for (int nibble = 0; nibble < 4; nibble++) {
            sum.append("\n        .add(nibble%d@.selectFrom(%s))"
                    .formatted(nibble, table(array, table, nibble * 16, stepShorts)));
        }
        sum.append(";\n");
        String bits = """
            ShortVector bits@ = ShortVector.fromMemorySegment(
                    SHORTS, cache, %s, LITTLE_ENDIAN);
            """.formatted(address);
        String word = (tablesOfTile ? "" : pass.perHead(declaration))
                + pass.perTile(
                        bits + nibbles(stepShorts) + "$heads", tablesOfTile ? declaration + sum : sum.toString());
        return pass.perTileAndHead("ShortVector sum#@ = ShortVector.zero(SHORTS);\n")
                + "for (int word = 0; word < " + words + "; word++) {\n" + word.indent(4) + "}\n";
    }

    /** Declares the four bits of a sign word that select from the first to fourth table of 16 entries. */
    private static String nibbles(int stepShorts) {
        // The longest vectors hold two tables: a fifth bit selects the second.
        String second = stepShorts == 32 ? ".or((short) 16)" : "";
        return """
            ShortVector nibble0@ = bits@.and((short) 15);
            ShortVector nibble1@ = bits@.lanewise(LSHR, 4).and((short) 15)%s;
            ShortVector nibble2@ = bits@.lanewise(LSHR, 8).and((short) 15);
            ShortVector nibble3@ = bits@.lanewise(LSHR, 12)%s;
            """.formatted(second, second);
    }

    /** Returns the vector or the two vectors that hold a table of 16 entries. */
    private static String table(String array, String table, int entry, int stepShorts) {
        return stepShorts >= 16
                ? vector(array, table, entry / stepShorts * stepShorts)
                : "\n                " + vector(array, table, entry) + ",\n                "
                        + vector(array, table, entry + stepShorts);
    }

    private static String vector(String array, String table, int entry) {
        return "ShortVector.fromArray(SHORTS, %s, %s%s)".formatted(array, table, entry == 0 ? "" : " + " + entry);
    }
}
