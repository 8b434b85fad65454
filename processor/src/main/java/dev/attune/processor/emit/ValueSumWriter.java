package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;

/**
 * Writes the weighted value sums of a chunk, channels in lanes: the sparse and the sign part of packed values, and
 * dense values.
 */
final class ValueSumWriter {

    /** Where a head's weights of a tile begin. */
    private static final String ROW = "int row# = ? * CHUNK_TOKENS + t * TILE_TOKENS;\n";

    private final KernelPlan plan;
    private final PairText numbers;
    private final ResidualText residuals;
    private final int bytes;
    private final int lanes;

    ValueSumWriter(KernelPlan plan, PairText numbers) {
        this.plan = plan;
        this.numbers = numbers;
        this.residuals = ResidualText.of(plan.model().values().format());
        this.bytes = plan.model().values().plainFormat().bits() / Byte.SIZE;
        this.lanes = plan.lanes();
    }

    void addTo(TypeSpec.Builder type) {
        plan.layout().values().ifPresent(values -> {
            Pass.addMethods(type, plan, this::sumKept);
            if (values.signed()) {
                Pass.addMethods(type, plan, this::sumSigns);
            }
        });
        Pass.addMethods(type, plan, this::sumDense);
    }

    private MethodSpec sumKept(int heads) {
        int registers = numbers.registers(TileLayout.TILE_TOKENS, lanes);
        String array = numbers.tableType() == short.class ? "weightTables" : "weights";
        StringBuilder tables = new StringBuilder();
        for (int head = 0; head < heads; head++) {
            tables.append(Pass.forHead(head, ROW));
            for (int register = 0; register < registers; register++) {
                tables.append(numbers.tableRegister(
                        "weight%dPart%d".formatted(head, register),
                        array,
                        "row" + head + (register == 0 ? "" : " + " + register * numbers.entriesPerRegister(lanes))));
            }
        }
        String slot = numbers.indices("block + VALUE_INDICES + place", 1, registers, lanes)
                + residuals.load("block + VALUE_RESIDUALS", "place", "firstRow + slot / 2 * GROUP_CHANNELS")
                + Pass.perHead(heads, numbers.lookup("token#", "weight#", registers, lanes) + """
                    first# = residualFirst.fma(token#First, first#);
                    second# = residualSecond.fma(token#Second, second#);
                    """);
        boolean quantised = residuals.quantised();
        String step = (quantised ? Pass.zeros(heads) : loadSums(heads))
                + "long place = firstSlot(channel);\n"
                + (plan.model().values().format() == NumberFormat.INT4 ? "long firstRow = firstRow(channel);\n" : "")
                + "// Slot by slot: a kept token's residual times that token's weight.\n"
                + "for (int slot = 0; slot < KEPT_TOKENS; slot++, place += GROUP_CHANNELS) {\n" + slot.indent(4) + "}\n"
                + (quantised ? addScaled(heads) : storeSums(heads));
        return packed("sumKept" + heads)
                .addJavadoc("Sparse part of the value sums $L: SUM_kept_t p_t e_tj.\n", Pass.served(heads))
                .addCode(KernelText.of(overTiles(packedBlock() + tables, step)).code())
                .build();
    }

    private MethodSpec sumSigns(int heads) {
        String tables = packedBlock() + """
            for (int query = g; query < g + %d; query++) {
                int row = query * CHUNK_TOKENS + t * TILE_TOKENS;
                weightSteps[query] = toFixedPoint(weights, row, TILE_TOKENS, tileSums[query * CHUNK_TILES + t]);
                tabulateSigns(TILE_TOKENS / 4, weightSigns, query * (TILE_TOKENS / 4) * SIGNED);
            }
            """.formatted(heads);
        StringBuilder add = new StringBuilder();
        for (int head = 0; head < heads; head++) {
            add.append(numbers.integers("sum" + head, Integer.toString(head)));
            add.append(Pass.forHead(head, """
                float unit# = weightSteps[?];
                int row# = ? * PADDED_CHANNELS + channel;
                amplitudeFirst.mul(unit#)
                        .fma(first#, FloatVector.fromArray(FLOATS, sumsOfValues, row#))
                        .intoArray(sumsOfValues, row#);
                amplitudeSecond.mul(unit#)
                        .fma(second#, FloatVector.fromArray(FLOATS, sumsOfValues, row# + LANES))
                        .intoArray(sumsOfValues, row# + LANES);
                """));
        }
        String step = "// Four tokens at a time: their signs select one of the 16 signed sums of the weights.\n"
                + SignSumText.sums(
                        heads,
                        "TILE_TOKENS / 16",
                        "block + VALUE_SIGNS + ((long) word * PADDED_CHANNELS + channel) * 2",
                        "weightSigns",
                        "(TILE_TOKENS / 4)",
                        2 * lanes)
                + numbers.load("amplitude", "block + VALUE_AMPLITUDES + channel * " + bytes + "L")
                + add;
        return packed("sumSigns" + heads)
                .addJavadoc("Sign part of the value sums $L: b_j * SUM_t p_t sigma_tj.\n", Pass.served(heads))
                .addCode(KernelText.of(overTiles(tables, step)).code())
                .build();
    }

    private MethodSpec sumDense(int heads) {
        String weights = Pass.perHead(heads, """
            FloatVector weight# = FloatVector.broadcast(FLOATS, weights[row# + token]);
            first# = valueFirst.fma(weight#, first#);
            second# = valueSecond.fma(weight#, second#);
            """);
        String token = "long place = (long) token * PADDED_CHANNELS + channel;\n"
                + numbers.load("value", "block + place * " + bytes)
                + weights;
        String rows = "long block = values + t * tileBytes;\n" + Pass.perHead(heads, ROW);
        String step = loadSums(heads)
                + "for (int token = 0; token < TILE_TOKENS; token++) {\n" + token.indent(4) + "}\n"
                + storeSums(heads);
        return KernelMethods.step("sumDense" + heads)
                .addJavadoc("Value sums $L over dense values: SUM_t p_t v_tj.\n", Pass.served(heads))
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "values")
                .addParameter(long.class, "tileBytes")
                .addParameter(int.class, "tiles")
                .addParameter(int.class, "g")
                .addCode(KernelText.of(overTiles(rows, step)).code())
                .build();
    }

    private static MethodSpec.Builder packed(String name) {
        return KernelMethods.step(name)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "values")
                .addParameter(int.class, "tiles")
                .addParameter(int.class, "g");
    }

    private static String packedBlock() {
        return "long block = values + (long) t * TILE_BYTES;\n";
    }

    /** Walks the chunk's tiles, and their channels a step at a time. */
    private static String overTiles(String tile, String step) {
        return "for (int t = 0; t < tiles; t++) {\n" + tile.indent(4)
                + "    for (int channel = 0; channel < PADDED_CHANNELS; channel += STEP) {\n"
                + step.indent(8)
                + "    }\n}\n";
    }

    private static String loadSums(int heads) {
        return Pass.perHead(heads, """
            int sum# = ? * PADDED_CHANNELS + channel;
            FloatVector first# = FloatVector.fromArray(FLOATS, sumsOfValues, sum#);
            FloatVector second# = FloatVector.fromArray(FLOATS, sumsOfValues, sum# + LANES);
            """);
    }

    /** Adds the sums over integer residuals, brought to the scales of their channels. */
    private String addScaled(int heads) {
        return residuals.units("block + VALUE_RESIDUAL_SCALES + channel") + Pass.perHead(heads, """
            int sum# = ? * PADDED_CHANNELS + channel;
            unitFirst.fma(first#, FloatVector.fromArray(FLOATS, sumsOfValues, sum#))
                    .intoArray(sumsOfValues, sum#);
            unitSecond.fma(second#, FloatVector.fromArray(FLOATS, sumsOfValues, sum# + LANES))
                    .intoArray(sumsOfValues, sum# + LANES);
            """);
    }

    private static String storeSums(int heads) {
        return Pass.perHead(heads, """
            first#.intoArray(sumsOfValues, sum#);
            second#.intoArray(sumsOfValues, sum# + LANES);
            """);
    }
}
