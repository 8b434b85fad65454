package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.KernelPlan;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.lang.model.element.Modifier;

/**
 * Sums of rows of numbers under packed signs, eight at a time: a table holds all 256 signed sums of eight rows, and a
 * byte of signs selects one. A row is one 64-bit integer, 16 bits for every head, which adds up all heads in one
 * addition: the numbers are fixed point, scaled so that no sum overflows, and carries between heads cancel out.
 */
final class RowSignText {

    /** Words of 16 signs that are looked up at once: more sums than that would not be under way together. */
    private static final int WORDS_AT_ONCE = 8;

    private RowSignText() {}

    /** Adds what makes tables, and what takes sums of a block to their scale. */
    static void addTo(TypeSpec.Builder type, KernelPlan plan) {
        VectorKernelsWriter.species(type, "ROW_PAIRS", Long.class, KernelText.LONG_VECTOR, 128);
        type.addField(FieldSpec.builder(long.class, "POSITIVE", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc("What makes the sum of every head positive, so that no head borrows from the next.")
                .initializer("0x8000_8000_8000_8000L")
                .build());
        String most = "Math.max(PADDED_CHANNELS, TILE_TOKENS)";
        ScratchField.add(type, int.class, "lowHeads", most, "Rows in fixed point: the first two heads.");
        ScratchField.add(type, int.class, "highHeads", most, "The other two.");
        ScratchField.add(type, long.class, "fixedRows", most, "All four: a row to a number.");
        ScratchField.add(type, long.class, "lowSums", "16", "Signed sums of the first four of eight rows.");
        ScratchField.add(type, long.class, "highSums", "16", "Signed sums of the other four.");
        ScratchField.add(
                type, long.class, "signSums", "BLOCK_TOKENS", "Signed sums of a block's lanes, plus POSITIVE.");
        ScratchField.add(type, float.class, "amplitudes", "BLOCK_TOKENS", "Amplitudes of a block's lanes.");
        int longs = plan.backend().vectorBits() / Long.SIZE;
        for (int row = 0; 1 << row < longs; row++) {
            int bit = row;
            type.addField(FieldSpec.builder(
                            KernelText.LONG_VECTOR, laneMask(row), Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                    .addJavadoc("Selects the lanes whose bit $L is set.", row)
                    .initializer(
                            "$T.fromArray(LONGS, new long[] {$L}, 0)",
                            KernelText.LONG_VECTOR,
                            IntStream.range(0, longs)
                                    .mapToObj(lane -> (lane >> bit & 1) == 0 ? "0" : "-1")
                                    .collect(Collectors.joining(", ")))
                    .build());
        }
        type.addMethod(toFixedPoint(plan));
        type.addMethod(tabulateSigns(longs));
        type.addMethod(tabulateFour(longs));
    }

    private static MethodSpec toFixedPoint(KernelPlan plan) {
        return KernelMethods.step("toFixedPoint")
                .addJavadoc("""
                    Rounds the numbers of a row's heads to whole units, so that a signed sum of them is off by at most \
                    half a
                    unit for every row, and makes an integer of all heads.

                    @param numbers of every head
                    @param count numbers of a head
                    @param g the first head
                    @param units of every head
                    """)
                .addParameter(KernelMethods.FLOATS, "numbers")
                .addParameter(int.class, "count")
                .addParameter(int.class, "g")
                .addParameter(KernelMethods.FLOATS, "units")
                .addCode(KernelText.of("""
                    Arrays.fill(lowHeads, 0, count, 0);
                    Arrays.fill(highHeads, 0, count, 0);
                    FloatVector rounder = FloatVector.broadcast(FLOATS, ROUNDER);
                    for (int head = 0; head < Math.min(ROW_HEADS, GROUP_SIZE - g); head++) {
                        int from = (g + head) * count;
                        float unit = units[g + head];
                        FloatVector inverse = FloatVector.broadcast(FLOATS, unit == 0 ? 0 : 1 / unit);
                        int[] heads = head < 2 ? lowHeads : highHeads;
                        int place = head % 2 * 16;
                        for (int row = 0; row < count; row += LANES) {
                            // Beside ROUNDER a float has steps of 1: its bits are those of ROUNDER plus the integer.
                            FloatVector.fromArray(FLOATS, numbers, from + row)
                                    $round:L
                                    .reinterpretAsInts()
                                    .sub(ROUNDED_ZERO)
                                    .lanewise(LSHL, place)
                                    .add(IntVector.fromArray(INTS, heads, row))
                                    .intoArray(heads, row);
                        }
                    }
                    for (int row = 0; row < count; row++) {
                        fixedRows[row] = lowHeads[row] + ((long) highHeads[row] << 32);
                    }
                    """)
                        .with("round", MultiplyAddText.of(plan, "inverse", "rounder"))
                        .code())
                .build();
    }

    private static MethodSpec tabulateSigns(int longs) {
        StringBuilder load = new StringBuilder();
        StringBuilder store = new StringBuilder();
        for (int low = 0; low < 16; low += longs) {
            String number = Integer.toString(low / longs);
            load.append("LongVector low%s = LongVector.fromArray(LONGS, lowSums, %d);\n".formatted(number, low));
            store.append("low%s.add(sum).intoArray(SIGNED_SUMS, to%s);\n".formatted(number, KernelText.plus(low)));
        }
        return KernelMethods.step("tabulateSigns")
                .addJavadoc("""
                    Makes tables of all signed sums of every eight fixedRows.

                    @param count how many rows there are
                    @param table number of the first table
                    """)
                .addParameter(int.class, "count")
                .addParameter(int.class, "table")
                .addCode(KernelText.of("""
                    for (int row = 0; row < count; row += 8) {
                        tabulateFour(row, lowSums);
                        tabulateFour(row + 4, highSums);
                    """)
                        .add(load.toString().indent(4))
                        .add("""
                                int sums = ((table + row / 8) & LAST_TABLE) * 256;
                                for (int high = 0; high < 16; high++) {
                                    LongVector sum = LongVector.broadcast(LONGS, highSums[high]);
                                    int to = sums + high * 16;
                            """)
                        .add(store.toString().indent(8))
                        .add("""
                                }
                            }
                            """)
                        .code())
                .build();
    }

    private static MethodSpec tabulateFour(int longs) {
        int rows = Integer.numberOfTrailingZeros(longs);
        StringBuilder text = new StringBuilder("""
            LongVector sums0 = LongVector.broadcast(
                    LONGS, -(fixedRows[row] + fixedRows[row + 1] + fixedRows[row + 2] + fixedRows[row + 3]))""");
        for (int i = 0; i < rows; i++) {
            text.append("\n        .add(LongVector.broadcast(LONGS, 2 * fixedRows[%s]).and(%s))"
                    .formatted("row" + KernelText.plus(i), laneMask(i)));
        }
        text.append(";\nsums0.intoArray(sums, 0);\n");
        for (int i = rows; i < 4; i++) {
            text.append("long twice%d = 2 * fixedRows[%s];\n".formatted(i, "row" + KernelText.plus(i)));
            int vectors = 1 << i - rows;
            for (int vector = 0; vector < vectors; vector++) {
                text.append("""
                    LongVector sums%1$d = sums%2$d.add(twice%3$d);
                    sums%1$d.intoArray(sums, %4$d);
                    """.formatted(vectors + vector, vector, i, (vectors + vector) * longs));
            }
        }
        return KernelMethods.step("tabulateFour")
                .addJavadoc("""
                    Makes a table of all signed sums of four of fixedRows.

                    @param row the first of them
                    @param sums {@code [16]}; bit i of an index is the sign of row i
                    """)
                .addParameter(int.class, "row")
                .addParameter(long[].class, "sums")
                .addCode(KernelText.of(text.toString()).code())
                .build();
    }

    private static String laneMask(int row) {
        return "LANE_BIT_" + row;
    }

    /** Adds the signed sums of a block's lanes, in units of every head, times the lanes' amplitudes to their rows. */
    private static String addAmplified(KernelPlan plan, String units, String rows) {
        return """
            for (int lane = 0; lane < $lanes:L; lane += 2) {
                FloatVector unit = FloatVector.fromArray(ROW, $units, g);
                ShortVector heads = LongVector.fromArray(ROW_PAIRS, signSums, lane)
                        .reinterpretAsShorts()
                        .add(Short.MIN_VALUE);
                int row = to + lane * ROW_HEADS;
                int next = row + ROW_HEADS;
                FloatVector.broadcast(ROW, amplitudes[lane])
                        .mul(unit)
                        $first
                        .intoArray($rows, row);
                FloatVector.broadcast(ROW, amplitudes[lane + 1])
                        .mul(unit)
                        $second
                        .intoArray($rows, next);
            }
            """
                .replace("$units", units)
                .replace("$first", amplified(plan, 0, rows, "row"))
                .replace("$second", amplified(plan, 1, rows, "next"))
                .replace("$rows", rows);
    }

    private static String amplified(KernelPlan plan, int part, String rows, String row) {
        return MultiplyAddText.of(
                plan,
                "(FloatVector) heads.convertShape(S2F, ROW, %d)".formatted(part),
                "FloatVector.fromArray(ROW, %s, %s)".formatted(rows, row));
    }

    /**
     * Adds what sums the blocks of a side under their signs: in one method, for parts of it, compiled together with
     * what calls them, would make objects of vectors.
     *
     * @param units the array of every head's unit
     * @param rows the array of rows, one for each lane, that are added to
     */
    static void addSums(TypeSpec.Builder type, KernelPlan plan, PackedSide side, String units, String rows) {
        int words = side.entries() / Short.SIZE;
        int some = IntStream.rangeClosed(1, WORDS_AT_ONCE).filter(count -> words % count == 0).max().getAsInt();
        String selected = IntStream.range(0, 2 * some)
                .mapToObj(half -> "SIGNED_SUMS[sums%s + (SIGNS[at%s] & 0xFF)]"
                        .formatted(
                                KernelText.plus(256 * half),
                                KernelText.plus(half / 2 * 2 * BlockLayout.LANES + half % 2)))
                .collect(Collectors.joining("\n        + "));
        String text = """
            int signBytes = (part & LAST_PART) * PART_SIGNS;
            for (int at = 0; at < $entries:L / 8 * $lanes:L; at += STEP) {
                ByteVector.fromMemorySegment(BYTES, cache, signs + at, LITTLE_ENDIAN).intoArray(SIGNS, signBytes + at);
            }
            """
                + (some == words ? """
                    int sums = (table & LAST_TABLE) * 256;
                    for (int lane = 0; lane < $lanes:L; lane++) {
                        int at = signBytes + lane * 2;
                        signSums[lane] = POSITIVE
                                + $selected;
                    }
                    """.replace("$selected", selected.replace("\n", "\n    ")) : """
                    Arrays.fill(signSums, POSITIVE);
                    for (int word = 0; word < $entries:L / 16; word += $some) {
                        int sums = (table & LAST_TABLE) * 256 + word * 512;
                        for (int lane = 0; lane < $lanes:L; lane++) {
                            int at = signBytes + (word * $lanes:L + lane) * 2;
                            signSums[lane] += $selected;
                        }
                    }
                    """
                                .replace("$selected", selected.replace("\n", "\n        "))
                                .replace("$some", Integer.toString(some)));
        type.addMethod(KernelMethods.step("sumSigns" + side.name())
                .addJavadoc("""
                    Adds to the rows of a block's lanes what their signs select from the tables, times their amplitudes.

                    @param signs where the signs of the block begin
                    @param table number of the first table
                    @param g the first head
                    @param to where the rows begin
                    """)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "signs")
                .addParameter(int.class, "table")
                .addParameter(int.class, "g")
                .addParameter(int.class, "to")
                .addCode(side.text(text + amplitudes(side) + addAmplified(plan, units, rows))
                        .code())
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
