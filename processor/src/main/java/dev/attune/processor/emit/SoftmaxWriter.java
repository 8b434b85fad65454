package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import java.util.List;
import javax.lang.model.element.Modifier;

/** Writes the softmax of the tiles that are read at once, and the tables that packed values are summed by. */
final class SoftmaxWriter {

    private final KernelPlan plan;
    private final boolean tables;
    private final boolean signs;

    SoftmaxWriter(KernelPlan plan, PairText numbers) {
        this.plan = plan;
        this.tables = !plan.gathers() && plan.layout().values().isPresent() && numbers.tableType() == short.class;
        this.signs = !plan.gathers() && plan.layout().signedValues();
    }

    /** Returns whether weights are brought into tables before packed values are summed. */
    boolean tabulates() {
        return tables || signs;
    }

    void addTo(TypeSpec.Builder type) {
        constant(type, "ROUNDER", "0x1.8p23f", "What rounds a float to a whole number when it is added.");
        type.addMethod(softmax());
        type.addMethod(raiseMaximum());
        type.addMethod(exponentiate());
        if (tables) {
            type.addField(FieldSpec.builder(
                            KernelText.SHORT_VECTOR, "ODD_SHORTS", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                    .addJavadoc("Selects the upper halves of the ints in two vectors.")
                    .initializer("$T.zero(SHORTS).addIndex(2).add((short) 1)", KernelText.SHORT_VECTOR)
                    .build());
        }
        if (signs) {
            SignSumText.addWeightTables(type);
        }
        if (tabulates()) {
            type.addMethod(tabulateWeights());
        }
    }

    private static void constant(TypeSpec.Builder type, String name, String value, String meaning) {
        type.addField(FieldSpec.builder(float.class, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer(value)
                .build());
    }

    private MethodSpec softmax() {
        return KernelMethods.step("softmax")
                .addJavadoc(
                        "Turns scores into weights 2^(score - maximum), so that all tiles end up relative to the"
                                + " largest score of all.$L\n",
                        plan.streams() == 1 ? "" : "\n\n@param streams tiles that were scored")
                .addParameters(plan.streams() == 1 ? List.of() : List.of(streams()))
                .addCode(KernelText.of(plan.streams() == 1 ? """
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int from = g * TILE_TOKENS;
                        int to = from + TILE_TOKENS;
                        Arrays.fill(weights, from + tokens[0], to, Float.NEGATIVE_INFINITY);
                        raiseMaximum(g, from, to);
                    }
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        tileSums[g] = exponentiate(g * TILE_TOKENS, maxima[g]);
                    }
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        sums[g] += tileSums[g];
                    }
                    """ : """
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int from = g * STREAMS * TILE_TOKENS;
                        for (int tile = 0; tile < streams; tile++) {
                            int row = from + tile * TILE_TOKENS;
                            Arrays.fill(weights, row + tokens[tile], row + TILE_TOKENS, Float.NEGATIVE_INFINITY);
                        }
                        raiseMaximum(g, from, from + streams * TILE_TOKENS);
                    }
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        for (int row = g * STREAMS; row < g * STREAMS + streams; row++) {
                            tileSums[row] = exponentiate(row * TILE_TOKENS, maxima[g]);
                        }
                    }
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        for (int row = g * STREAMS; row < g * STREAMS + streams; row++) {
                            sums[g] += tileSums[row];
                        }
                    }
                    """).code())
                .build();
    }

    private static ParameterSpec streams() {
        return ParameterSpec.builder(int.class, "streams").build();
    }

    private MethodSpec raiseMaximum() {
        return KernelMethods.step("raiseMaximum")
                .addJavadoc("When a score exceeds the maximum so far, what was summed shrinks by 2^(old - new).\n")
                .addParameter(int.class, "g")
                .addParameter(int.class, "from")
                .addParameter(int.class, "to")
                .addCode(KernelText.of("""
                    FloatVector largest = FloatVector.fromArray(FLOATS, weights, from);
                    for (int token = from + LANES; token < to; token += LANES) {
                        largest = largest.max(FloatVector.fromArray(FLOATS, weights, token));
                    }
                    if (largest.compare(GT, maxima[g]).anyTrue()) {
                        float maximum = largest.reduceLanes(MAX);
                        float shrink = (float) Math.pow(2, maxima[g] - maximum);
                        maxima[g] = maximum;
                        sums[g] *= shrink;
                        for (int i = g * PADDED_CHANNELS; i < (g + 1) * PADDED_CHANNELS; i += LANES) {
                            FloatVector.fromArray(FLOATS, sumsOfValues, i).mul(shrink).intoArray(sumsOfValues, i);
                        }
                    """)
                        .addIf(plan.gathers() && plan.layout().values().isPresent(), """
                                int row = g / ROW_HEADS * ROW_HEADS * PADDED_CHANNELS + g % ROW_HEADS;
                                for (int channel = 0; channel < PADDED_CHANNELS; channel++) {
                                    sumRows[row + channel * ROW_HEADS] *= shrink;
                                }
                            """)
                        .add("}\n")
                        .code())
                .build();
    }

    private MethodSpec exponentiate() {
        LaneSumText sum = new LaneSumText(plan);
        return KernelMethods.step("exponentiate")
                .addJavadoc("""
                    Replaces a tile's scores by 2^(score - maximum), and returns their sum. The exponent is split into \
                    a whole
                    number, which becomes the exponent of the float, and a fraction of at most a half, whose power is a
                    polynomial: off by at most 2.4e-7 of it.
                    """)
                .addParameter(int.class, "row")
                .addParameter(float.class, "maximum")
                .returns(float.class)
                .addCode(KernelText.of("""
                    FloatVector sum = FloatVector.zero(FLOATS);
                    for (int token = row; token < row + TILE_TOKENS; token += LANES) {
                        // Less than 2^-126 is nothing beside the largest weight, 1, and has no normal float.
                        FloatVector exponent = FloatVector.fromArray(FLOATS, weights, token).sub(maximum).max(-126);
                        FloatVector rounded = exponent.add(ROUNDER);
                        FloatVector fraction = exponent.sub(rounded.sub(ROUNDER));
                    """)
                        .add(power().indent(4))
                        .add("""
                        FloatVector weight = power.reinterpretAsInts()
                                .add(rounded.reinterpretAsInts().lanewise(LSHL, 23))
                                .reinterpretAsFloats();
                        weight.intoArray(weights, token);
                        sum = sum.add(weight);
                    }
                    """)
                        .add(sum.prepare("sum"))
                        .add("return " + sum.of("sum") + ";\n")
                        .code())
                .build();
    }

    /** Returns the statements that compute 2^fraction, coefficient by coefficient, the highest power first. */
    private String power() {
        StringBuilder text = new StringBuilder("FloatVector power = fraction"
                + MultiplyAddText.of(plan, "0.0013276471f", "0.009675541f") + ";\n");
        for (String coefficient : List.of("0.05550713f", "0.2402212f", "0.69314694f", "1.0000001f")) {
            String addend = "FloatVector.broadcast(FLOATS, " + coefficient + ")";
            text.append("power = power" + MultiplyAddText.of(plan, "fraction", addend) + ";\n");
        }
        return text.toString();
    }

    private MethodSpec tabulateWeights() {
        KernelText body = KernelText.of("int row = tile * TILE_TOKENS;\n");
        if (signs) {
            body.add("""
                // A smaller sum is nothing beside the largest weight, 1, and has no inverse.
                float inverse = tileSums[tile] > 1e-30f ? (Short.MAX_VALUE - TILE_TOKENS) / tileSums[tile] : 0;
                weightSteps[tile] = inverse > 0 ? 1 / inverse : 0;
                """);
        }
        body.add("""
            for (int token = 0; token < TILE_TOKENS; token += STEP) {
                FloatVector low = FloatVector.fromArray(FLOATS, weights, row + token);
                FloatVector high = FloatVector.fromArray(FLOATS, weights, row + token + LANES);
            """);
        if (tables) {
            body.add("""
                    // Bfloat16 is the upper half of a float.
                    ODD_SHORTS.selectFrom(
                                    low.reinterpretAsInts().add(0x8000).reinterpretAsShorts(),
                                    high.reinterpretAsInts().add(0x8000).reinterpretAsShorts())
                            .intoArray(weightTables, row + token);
                """);
        }
        if (signs) {
            body.add("""
                    // A rounded number is the lower half of the float it was rounded in.
                    ShortVector units = EVEN_SHORTS.selectFrom(
                            low.fma(inverse, ROUNDER).reinterpretAsShorts(),
                            high.fma(inverse, ROUNDER).reinterpretAsShorts());
                    ShortVector swapped = units.reinterpretAsInts().lanewise(ROL, 16).reinterpretAsShorts();
                    ShortVector pairSums = units.add(swapped).mul(ALTERNATING);
                    ShortVector pairDifferences = units.sub(swapped);
                    for (int entry = 0; entry < 4 * STEP; entry += STEP) {
                        ShortVector first = ShortVector.fromArray(SHORTS, FIRST_PAIRS, entry);
                        ShortVector second = ShortVector.fromArray(SHORTS, SECOND_PAIRS, entry);
                        first.selectFrom(pairSums, pairDifferences)
                                .add(second.selectFrom(pairSums, pairDifferences))
                                .intoArray(weightSigns, (row + token) * 4 + entry);
                    }
                """);
        }
        body.add("}\n");
        return KernelMethods.step("tabulateWeights")
                .addJavadoc(
                        signs
                                ? """
                                Makes a tile's weights into lookup tables: of the weights, for kept tokens, and of all \
                                signed sums of
                                every four, in fixed point such that no signed sum of them exceeds 16 bits. Each \
                                weight is rounded to
                                half a unit, so a signed sum of all is off by at most 32 units.

                                @param tile number of the tile's weights among all rows
                                """
                                : """
                                Rounds a tile's weights to bfloat16, for the lookup of kept tokens.

                                @param tile number of the tile's weights among all rows
                                """)
                .addParameter(int.class, "tile")
                .addCode(body.code())
                .build();
    }
}
