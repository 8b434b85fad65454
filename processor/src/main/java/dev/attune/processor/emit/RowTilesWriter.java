package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.ValueLayout;
import javax.lang.model.element.Modifier;

/**
 * Writes the scores and value sums of packed tiles with heads in lanes: all numbers that several heads have in common
 * with an entry stand side by side, a row for every channel, token or value channel. What comes before and after has
 * tokens or channels in lanes.
 */
final class RowTilesWriter {

    /** Heads of a row: as many floats as the shortest vectors have. */
    static final int ROW_HEADS = 4;

    private final KernelPlan plan;
    private final PairText valueNumbers;
    private final boolean signedKeys;
    private final boolean signedValues;

    RowTilesWriter(KernelPlan plan, PairText valueNumbers) {
        this.plan = plan;
        this.valueNumbers = valueNumbers;
        this.signedKeys = plan.layout().signedKeys();
        this.signedValues = plan.layout().signedValues();
    }

    void addTo(TypeSpec.Builder type) {
        VectorKernelsWriter.species(type, "ROW", Float.class, KernelText.FLOAT_VECTOR, ROW_HEADS * Float.SIZE);
        VectorKernelsWriter.constant(type, "ROW_HEADS", Integer.toString(ROW_HEADS), "Heads of a row.");
        VectorKernelsWriter.constant(
                type,
                "PADDED_GROUP",
                Integer.toString(rows(plan) * ROW_HEADS),
                "GROUP_SIZE rounded up to whole rows; the heads beyond are zero.");
        VectorKernelsWriter.species(type, "LONGS", Long.class, KernelText.LONG_VECTOR, plan.backend().vectorBits());
        new RowTables(plan).addTo(type);
        if (signedKeys || signedValues) {
            RowSignText.addTo(type, plan);
            type.addField(
                    FieldSpec.builder(int.class, "ROUNDED_ZERO", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                            .addJavadoc("The bits of ROUNDER.")
                            .initializer("0x4B400000")
                            .build());
        }
        plan.layout().keys().ifPresent(keys -> addKeys(type, keys));
        plan.layout().values().ifPresent(values -> addValues(type, values));
    }

    /** Returns how many rows the query heads of a key-value head take. */
    static int rows(KernelPlan plan) {
        return (plan.model().groupSize() + ROW_HEADS - 1) / ROW_HEADS;
    }

    private void addKeys(TypeSpec.Builder type, KeyLayout keys) {
        PackedSide side = PackedSide.ofKeys(plan, keys);
        ScratchField.add(
                type, float.class, "scoreRows", "PADDED_GROUP * TILE_TOKENS", "Scores: a row for every token.");
        if (signedKeys) {
            ScratchField.add(
                    type,
                    float.class,
                    "queryUnits",
                    "PADDED_GROUP",
                    "Unit of signed sums of queries, for every head.");
            RowSignText.addSums(type, plan, side, "queryUnits", "scoreRows");
        }
        new RowLookupWriter(plan, side, "CHANNELS", "scoreRows").addTo(type);
        type.addMethod(tabulateQueries());
        type.addMethod(scorePacked(keys));
    }

    private MethodSpec tabulateQueries() {
        return KernelMethods.step("tabulateQueries")
                .addJavadoc("Makes scaled queries into lookup tables.\n")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int rows = (part * PART_ROWS + g / ROW_HEADS * HEAD_DIM) * ROW_HEADS + g % ROW_HEADS;
                    """)
                        .addIf(signedKeys, "    float range = 0;\n")
                        .add("""
                                for (int channel = 0; channel < HEAD_DIM; channel++) {
                                    float query = scaledQueries[g * PADDED_CHANNELS + channel];
                                    ROWS[rows + channel * ROW_HEADS] = query;
                            """)
                        .addIf(signedKeys, "        range += Math.abs(query);\n")
                        .add("    }\n")
                        .addIf(signedKeys, """
                        // A smaller range is beneath what a float can tell beside the other terms, and has no inverse.
                        queryUnits[g] = range > 1e-30f ? range / (Short.MAX_VALUE - HEAD_DIM) : 0;
                    """)
                        .add("}\n")
                        .addIf(signedKeys, """
                            for (int g = 0; g < GROUP_SIZE; g += ROW_HEADS) {
                                toFixedPoint(scaledQueries, PADDED_CHANNELS, g, queryUnits);
                                tabulateSigns(HEAD_DIM, part * PART_TABLES + g * HEAD_DIM / 32);
                            }
                            """)
                        .code())
                .build();
    }

    private MethodSpec scorePacked(KeyLayout keys) {
        return KernelMethods.step("scorePacked")
                .addJavadoc("Scores of all query heads over a packed tile.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "tile")
                .addCode(KernelText.of(keys.centred() ? "scoreMeans(cache, tile);\n" : "")
                        .add("""
                            Arrays.fill(scoreRows, 0);
                            for (int b = 0; b < 2; b++) {
                                long block = tile + KEY_BLOCKS + b * (long) KEY_BLOCK_BYTES;
                                loadKeptKeys(cache, block);
                                for (int g = 0; g < GROUP_SIZE; g += ROW_HEADS) {
                                    int scores = g * TILE_TOKENS + b * BLOCK_TOKENS * ROW_HEADS;
                                    sumKeptKeys(part * PART_ROWS + g / ROW_HEADS * HEAD_DIM, scores);
                                }
                            }
                            """)
                        .addIf(signedKeys, """
                            for (int b = 0; b < 2; b++) {
                                long signs = tile + KEY_SIGNS + b * (long) KEY_SIGN_BYTES;
                                for (int g = 0; g < GROUP_SIZE; g += ROW_HEADS) {
                                    int scores = g * TILE_TOKENS + b * BLOCK_TOKENS * ROW_HEADS;
                                    sumSignsKeys(cache, signs, part * PART_TABLES + g * HEAD_DIM / 32, g, scores);
                                }
                            }
                            """)
                        .add("""
                            for (int g = 0; g < GROUP_SIZE; g++) {
                                int row = g / ROW_HEADS * ROW_HEADS * TILE_TOKENS + g % ROW_HEADS;
                            """)
                        .addIf(keys.centred(), "    float mean = meanScores[g];\n")
                        .add("""
                                for (int token = 0; token < TILE_TOKENS; token++) {
                                    weights[g * TILE_TOKENS + token] = $mean:LscoreRows[row + token * ROW_HEADS];
                                }
                            }
                            """)
                        .with("mean", keys.centred() ? "mean + " : "")
                        .code())
                .build();
    }

    private void addValues(TypeSpec.Builder type, ValueLayout values) {
        PackedSide side = PackedSide.ofValues(plan, values);
        ScratchField.add(
                type,
                float.class,
                "sumRows",
                "PADDED_GROUP * PADDED_CHANNELS",
                "Weighted sum of the packed values so far: a row for every channel.");
        if (signedValues) {
            ScratchField.add(
                    type,
                    float.class,
                    "weightUnits",
                    "PADDED_GROUP",
                    "Unit of signed sums of weights, for every head.");
            RowSignText.addSums(type, plan, side, "weightUnits", "sumRows");
        }
        new RowLookupWriter(plan, side, "TOKENS", "sumRows").addTo(type);
        type.addMethod(tabulateWeights());
        type.addMethod(sumPacked());
        type.addMethod(addSumRows());
    }

    private MethodSpec tabulateWeights() {
        return KernelMethods.step("tabulateWeights")
                .addJavadoc("Makes the weights of a row's heads into lookup tables.\n\n@param g the first head\n")
                .addParameter(int.class, "g")
                .addCode(KernelText.of("""
                    int rows = (part * PART_ROWS + QUERY_ROWS) * ROW_HEADS;
                    for (int head = 0; head < Math.min(ROW_HEADS, GROUP_SIZE - g); head++) {
                        int row = (g + head) * TILE_TOKENS;
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            ROWS[rows + token * ROW_HEADS + head] = weights[row + token];
                        }
                    """)
                        .addIf(signedValues, """
                                // A smaller sum is nothing beside the largest weight, 1, and has no inverse.
                                float sum = tileSums[g + head];
                                weightUnits[g + head] = sum > 1e-30f ? sum / (Short.MAX_VALUE - TILE_TOKENS) : 0;
                            """)
                        .add("}\n")
                        .addIf(signedValues, """
                            toFixedPoint(weights, TILE_TOKENS, g, weightUnits);
                            tabulateSigns(TILE_TOKENS, part * PART_TABLES + QUERY_TABLES);
                            """)
                        .code())
                .build();
    }

    private MethodSpec sumPacked() {
        return KernelMethods.step("sumPacked")
                .addJavadoc("Value sums of all query heads over a packed tile.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "values")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g += ROW_HEADS) {
                        tabulateWeights(g);
                        for (int b = 0; b < PADDED_CHANNELS / BLOCK_CHANNELS; b++) {
                            int rows = g * PADDED_CHANNELS + b * BLOCK_CHANNELS * ROW_HEADS;
                            long block = values + b * (long) VALUE_BLOCK_BYTES;
                            loadKeptValues(cache, block);
                            sumKeptValues(part * PART_ROWS + QUERY_ROWS, rows);
                        }
                    """)
                        .addIf(signedValues, """
                        for (int b = 0; b < PADDED_CHANNELS / BLOCK_CHANNELS; b++) {
                            long signs = values + VALUE_SIGNS + b * (long) VALUE_SIGN_BYTES;
                            int rows = g * PADDED_CHANNELS + b * BLOCK_CHANNELS * ROW_HEADS;
                            sumSignsValues(cache, signs, part * PART_TABLES + QUERY_TABLES, g, rows);
                        }
                    """)
                        .add("}\n")
                        .code())
                .build();
    }

    private MethodSpec addSumRows() {
        return KernelMethods.step("addSumRows")
                .addJavadoc("Adds the sums over packed values to those of all.\n")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int row = g / ROW_HEADS * ROW_HEADS * PADDED_CHANNELS + g % ROW_HEADS;
                        for (int channel = 0; channel < PADDED_CHANNELS; channel++) {
                            int place = $place:L;
                            sumsOfValues[g * PADDED_CHANNELS + place] += sumRows[row + channel * ROW_HEADS];
                        }
                    }
                    """).with("place", valueNumbers.place()).code())
                .build();
    }
}
