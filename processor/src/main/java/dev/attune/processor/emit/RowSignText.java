package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import javax.lang.model.element.Modifier;

/**
 * Sums of rows of numbers under packed signs, eight at a time: a table holds all 256 signed sums of eight rows, and a
 * byte of signs selects one. A row is one 64-bit integer, 16 bits for every head, which adds up all heads in one
 * addition: the numbers are fixed point, scaled so that no sum overflows, and carries between heads cancel out.
 */
final class RowSignText {

    private RowSignText() {}

    /** Adds what makes tables, and what takes sums of a block to their scale. */
    static void addTo(TypeSpec.Builder type, KernelPlan plan) {
        VectorKernelsWriter.species(type, "ROW_PAIRS", Long.class, KernelText.LONG_VECTOR, 128);
        type.addField(FieldSpec.builder(long.class, "LOWEST", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("The lowest 16-bit number of every head.")
                .initializer("0x8000_8000_8000_8000L")
                .build());
        String most = "Math.max(HEAD_DIM, TILE_TOKENS)";
        ScratchField.add(type, int.class, "fixed", most + " * ROW_HEADS", "Rows in fixed point.");
        ScratchField.add(type, long.class, "fixedRows", most, "The same, a row to a number.");
        ScratchField.add(type, long.class, "lowSums", "16", "Signed sums of the first four of eight rows.");
        ScratchField.add(type, long.class, "highSums", "16", "Signed sums of the other four.");
        ScratchField.add(type, long.class, "signSums", "BLOCK_TOKENS", "Signed sums of a block's lanes.");
        ScratchField.add(type, float.class, "amplitudes", "BLOCK_TOKENS", "Amplitudes of a block's lanes.");
        type.addMethod(tabulateSigns(plan));
        type.addMethod(tabulateFour());
        type.addMethod(addSigned(plan));
    }

    private static MethodSpec tabulateSigns(KernelPlan plan) {
        return KernelMethods.step("tabulateSigns")
                .addJavadoc("""
                    Makes a table of all signed sums of every eight rows. Rows are rounded to whole units, so that a signed sum
                    read from the tables is off by at most half a unit for every row.

                    @param count how many rows there are
                    @param units of every head
                    @param g the first head
                    @param first number of the first table
                    """)
                .addParameter(KernelMethods.FLOATS, "rows")
                .addParameter(int.class, "count")
                .addParameter(KernelMethods.FLOATS, "units")
                .addParameter(int.class, "g")
                .addParameter(long[][].class, "tables")
                .addParameter(int.class, "first")
                .addCode(KernelText.of("""
                    FloatVector unit = FloatVector.fromArray(ROW, units, g);
                    FloatVector inverse = FloatVector.broadcast(ROW, 1).div(unit).blend(0, unit.compare(EQ, 0));
                    for (int row = 0; row < count; row++) {
                        // A rounded number is the lower half of the float it was rounded in.
                        FloatVector.fromArray(ROW, rows, row * ROW_HEADS)
                                $round:L
                                .reinterpretAsInts()
                                .sub(ROUNDED_ZERO)
                                .intoArray(fixed, row * ROW_HEADS);
                    }
                    for (int row = 0; row < count; row++) {
                        int at = row * ROW_HEADS;
                        fixedRows[row] = fixed[at]
                                + ((long) fixed[at + 1] << 16)
                                + ((long) fixed[at + 2] << 32)
                                + ((long) fixed[at + 3] << 48);
                    }
                    for (int row = 0; row < count; row += 8) {
                        tabulateFour(row, lowSums);
                        tabulateFour(row + 4, highSums);
                        long[] table = tables[first + row / 8];
                        for (int high = 0; high < 16; high++) {
                            for (int low = 0; low < 16; low += LANES / 2) {
                                LongVector.fromArray(LONGS, lowSums, low)
                                        .add(highSums[high])
                                        .intoArray(table, high * 16 + low);
                            }
                        }
                    }
                    """)
                        .with(
                                "round",
                                MultiplyAddText.of(plan, "inverse", "FloatVector.broadcast(ROW, ROUNDER)"))
                        .code())
                .build();
    }

    private static MethodSpec tabulateFour() {
        return KernelMethods.step("tabulateFour")
                .addJavadoc("Makes a table of all signed sums of four rows.\n")
                .addParameter(int.class, "row")
                .addParameter(long[].class, "sums")
                .addCode(KernelText.of("""
                    sums[0] = -(fixedRows[row] + fixedRows[row + 1] + fixedRows[row + 2] + fixedRows[row + 3]);
                    for (int bit = 0; bit < 4; bit++) {
                        int half = 1 << bit;
                        long twice = 2 * fixedRows[row + bit];
                        for (int entry = 0; entry < half; entry++) {
                            sums[half + entry] = sums[entry] + twice;
                        }
                    }
                    """).code())
                .build();
    }

    private static MethodSpec addSigned(KernelPlan plan) {
        return KernelMethods.step("addSigned")
                .addJavadoc("Adds the signed sums of a block's lanes, in units of every head, times the lanes'"
                        + " amplitudes to rows.\n")
                .addParameter(KernelMethods.FLOATS, "units")
                .addParameter(int.class, "g")
                .addParameter(KernelMethods.FLOATS, "rows")
                .addParameter(int.class, "to")
                .addCode(KernelText.of("""
                    FloatVector unit = FloatVector.fromArray(ROW, units, g);
                    for (int lane = 0; lane < BLOCK_TOKENS; lane += 2) {
                        // Carries between heads cancel out once every head's sum is made positive.
                        ShortVector sums = LongVector.fromArray(ROW_PAIRS, signSums, lane)
                                .add(LOWEST)
                                .lanewise(XOR, LOWEST)
                                .reinterpretAsShorts();
                        int row = to + lane * ROW_HEADS;
                        int next = row + ROW_HEADS;
                        ((FloatVector) sums.convertShape(S2F, ROW, 0))
                                .mul(unit)
                                $add:L
                                .intoArray(rows, row);
                        ((FloatVector) sums.convertShape(S2F, ROW, 1))
                                .mul(unit)
                                $addNext:L
                                .intoArray(rows, next);
                    }
                    """)
                        .with("add", addAmplified(plan, "lane", "row"))
                        .with("addNext", addAmplified(plan, "lane + 1", "next"))
                        .code())
                .build();
    }

    private static String addAmplified(KernelPlan plan, String lane, String row) {
        return MultiplyAddText.of(
                plan,
                "FloatVector.broadcast(ROW, amplitudes[%s])".formatted(lane),
                "FloatVector.fromArray(ROW, rows, %s)".formatted(row));
    }

    /** Adds what sums the blocks of a side under their signs. */
    static void addSums(TypeSpec.Builder type, PackedSide side) {
        String text = """
            Arrays.fill(signSums, 0);
            for (int word = 0; word < $entries:L / 16; word++) {
                long at = signs + word * $lanes:L * 2L;
                long[] lower = tables[first + 2 * word];
                long[] upper = tables[first + 2 * word + 1];
                for (int lane = 0; lane < $lanes:L; lane++) {
                    signSums[lane] += lower[cache.get(BYTE, at + lane * 2L) & 0xFF]
                            + upper[cache.get(BYTE, at + lane * 2L + 1) & 0xFF];
                }
            }
            """;
        type.addMethod(KernelMethods.step("sumSigns" + side.name())
                .addJavadoc("""
                    Sums, for every lane of a block, what its signs select from the tables from {@code first} on, and reads
                    the amplitudes.
                    """)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "signs")
                .addParameter(long[][].class, "tables")
                .addParameter(int.class, "first")
                .addCode(side.text(text + amplitudes(side)).code())
                .build());
    }

    private static String amplitudes(PackedSide side) {
        NumberFormat format = side.plainFormat();
        return "for (int lane = 0; lane < $lanes:L; lane += STEP) {\n"
                + (PairText.of(format)
                                .loadNatural("amplitude", "signs + $constant:L_AMPLITUDES + lane * $bytes:LL")
                        + """
                        amplitudeLow.intoArray(amplitudes, lane);
                        amplitudeHigh.intoArray(amplitudes, lane + LANES);
                        """)
                        .indent(4)
                + "}\n";
    }
}
