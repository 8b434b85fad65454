package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;

/**
 * Writes the weighted value sums of a tile, channels in lanes: the sparse and the sign part of packed values in the
 * order of their bytes, and dense values.
 */
final class ValueSumWriter {

    private final KernelPlan plan;
    private final PairText numbers;
    private final ResidualText residuals;
    private final boolean tabulates;
    private final int bytes;
    private final int lanes;

    /** @param tabulates whether weights are brought into tables before packed values are summed */
    ValueSumWriter(KernelPlan plan, PairText numbers, boolean tabulates) {
        this.plan = plan;
        this.tabulates = tabulates;
        this.numbers = numbers;
        this.residuals = ResidualText.of(plan.model().values().format());
        this.bytes = plan.model().values().plainFormat().bits() / Byte.SIZE;
        this.lanes = plan.lanes();
    }

    void addTo(TypeSpec.Builder type) {
        plan.layout().values().ifPresent(values -> {
            if (plan.gathers()) {
                return;
            }
            Pass.addMethods(type, plan, plan.streams(), pass -> sumKept(values, pass));
            if (values.block().signed()) {
                Pass.addMethods(type, plan, plan.streams(), this::sumSigns);
            }
        });
        if (plan.layout().values().isEmpty() && plan.streams() > 1) {
            Pass.addMethods(type, plan, plan.streams(), this::sumDense);
        }
        Pass.addMethods(type, plan, 1, this::sumDense);
        if (!plan.gathers() || plan.layout().values().isEmpty()) {
            type.addMethod(sumPacked());
        }
    }

    private MethodSpec sumPacked() {
        Pass all = new Pass(plan, 1, plan.streams());
        String arguments = all.arguments("values");
        String rows = plan.streams() == 1 ? "GROUP_SIZE" : "GROUP_SIZE * STREAMS";
        KernelText body = KernelText.of("")
                .addIf(tabulates, "for (int row = 0; row < " + rows + "; row++) {\n    tabulateWeights(row);\n}\n")
                .add(plan.layout()
                        .values()
                        .map(values -> Pass.calls(plan, plan.streams(), "sumKept", arguments)
                                + (values.block().signed()
                                        ? Pass.calls(plan, plan.streams(), "sumSigns", arguments)
                                        : ""))
                        .orElseGet(() -> Pass.calls(plan, plan.streams(), "sumDense", arguments)));
        return KernelMethods.step("sumPacked")
                .addParameters(all.tiles("values"))
                .addJavadoc("Value sums of all query heads over packed tiles.\n")
                .addCode(body.code())
                .build();
    }

    private MethodSpec sumKept(ValueLayout values, Pass pass) {
        int registers = numbers.registers(TileLayout.TILE_TOKENS, lanes);
        String array = numbers.tableType() == short.class ? "weightTables" : "weights";
        StringBuilder tables = new StringBuilder(pass.perTileAndHead("int table#@ = ~ * TILE_TOKENS;\n"));
        for (int register = 0; register < registers; register++) {
            int entry = register * numbers.entriesPerRegister(lanes);
            tables.append(pass.perTileAndHead(numbers.tableRegister(
                    "weight#@Part" + register, array, "table#@" + (entry == 0 ? "" : " + " + entry))));
        }
        SlotText slots = new SlotText("VALUE", values.block());
        String slot = pass.perTile(
                "long place@ = " + slots.place("block@") + ";\n"
                        + residuals.load(slots.residualAddress("place@", "lane"))
                        + numbers.indices(
                                slots.indexAddress("place@", "lane"), values.block().indexBytes(), registers, lanes)
                        + "$heads",
                numbers.lookup("token#@", "weight#@", registers, lanes) + """
                    first#@ = residual@First.fma(token#@First, first#@);
                    second#@ = residual@Second.fma(token#@Second, second#@);
                    """);
        String step = pass.zeros()
                + "// Slot by slot: a kept token's residual times that token's weight.\n"
                + "for (int slot = 0; slot < KEPT_TOKENS; slot++) {\n" + slot.indent(4) + "}\n"
                + (residuals.quantised()
                        ? pass.perTile(residuals.units("block@ + VALUE_RESIDUAL_SCALES + lane") + "$heads", """
                            first#@ = first#@.mul(unit@First);
                            second#@ = second#@.mul(unit@Second);
                            """)
                        : "")
                + addSums(pass);
        return kernel("sumKept", pass)
                .addJavadoc("Sparse part of the value sums $L:\nSUM_kept_t p_t e_tj.\n", pass.served())
                .addCode(KernelText.of(tables
                                + overBlocks(pass, "long block@ = values@ + b * (long) VALUE_BLOCK_BYTES;\n", step))
                        .code())
                .build();
    }

    private MethodSpec sumSigns(Pass pass) {
        String step = "// Four tokens at a time: their signs select one of the 16 signed sums of the weights.\n"
                + SignSumText.sums(
                        pass,
                        "TILE_TOKENS / 16",
                        "signs@ + (word * BLOCK_CHANNELS + lane) * 2L",
                        "weightSigns",
                        "~ * (TILE_TOKENS / 4)")
                + pass.perTile(
                        numbers.load("amplitude@", "signs@ + VALUE_AMPLITUDES + lane * " + bytes + "L") + "$heads",
                        "float unit#@ = weightSteps[~];\n" + numbers.integers() + """
                            first#@ = first#@.mul(amplitude@First.mul(unit#@));
                            second#@ = second#@.mul(amplitude@Second.mul(unit#@));
                            """)
                + addSums(pass);
        return kernel("sumSigns", pass)
                .addJavadoc("Sign part of the value sums $L:\nb_j * SUM_t p_t sigma_tj.\n", pass.served())
                .addCode(KernelText.of(overBlocks(
                                pass, "long signs@ = values@ + VALUE_SIGNS + b * (long) VALUE_SIGN_BYTES;\n", step))
                        .code())
                .build();
    }

    private MethodSpec sumDense(Pass pass) {
        String weight = "FloatVector.broadcast(FLOATS, weight#@)";
        String token = pass.perTile(
                numbers.load("value@", "block@ + (token * BLOCK_CHANNELS + lane) * " + bytes + "L") + "$heads", """
                    float weight#@ = weights[~ * TILE_TOKENS + token];
                    first#@ = value@First$first;
                    second#@ = value@Second$second;
                    """
                        .replace("$first", MultiplyAddText.of(plan, weight, "first#@"))
                        .replace("$second", MultiplyAddText.of(plan, weight, "second#@")));
        String step = pass.zeros()
                + "for (int token = 0; token < TILE_TOKENS; token++) {\n" + token.indent(4) + "}\n"
                + addSums(pass);
        return kernel("sumDense", pass)
                .addJavadoc("Value sums $L over dense values: SUM_t p_t v_tj.\n", pass.served())
                .addCode(KernelText.of(overBlocks(
                                pass,
                                "long block@ = values@ + b * (long) TILE_TOKENS * BLOCK_CHANNELS * %d;\n"
                                        .formatted(bytes),
                                step))
                        .code())
                .build();
    }

    private static MethodSpec.Builder kernel(String name, Pass pass) {
        return KernelMethods.step(pass.name(name))
                .addParameters(pass.tiles("values"))
                .addParameter(int.class, "g");
    }

    /** Walks the blocks of 32 channels of a tile, and their channels a step at a time. */
    private static String overBlocks(Pass pass, String block, String step) {
        return "for (int b = 0; b < PADDED_CHANNELS / BLOCK_CHANNELS; b++) {\n"
                + pass.perTile(block).indent(4)
                + "    for (int lane = 0; lane < BLOCK_CHANNELS; lane += STEP) {\n"
                + step.indent(8)
                + "    }\n}\n";
    }

    /** Adds the sums of all tiles to those so far. */
    private static String addSums(Pass pass) {
        return pass.perHead("""
            int row# = ? * PADDED_CHANNELS + b * BLOCK_CHANNELS + lane;
            FloatVector.fromArray(FLOATS, sumsOfValues, row#)
                    .add($first)
                    .intoArray(sumsOfValues, row#);
            FloatVector.fromArray(FLOATS, sumsOfValues, row# + LANES)
                    .add($second)
                    .intoArray(sumsOfValues, row# + LANES);
            """.replace("$first", pass.overTiles("first#@")).replace("$second", pass.overTiles("second#@")));
    }
}
