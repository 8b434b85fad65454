package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;

/**
 * Writes the scores of a tile's tokens, tokens in lanes: the means, the sparse part and the sign part of packed keys in
 * the order of their bytes, and dense keys. The sparse part sets the scores, the sign part adds to them.
 */
final class KeyScoreWriter {

    private final KernelPlan plan;
    private final PairText numbers;
    private final ResidualText residuals;
    private final LaneSumText laneSum;
    private final int bytes;
    private final int lanes;

    KeyScoreWriter(KernelPlan plan, PairText numbers) {
        this.plan = plan;
        this.numbers = numbers;
        this.residuals = ResidualText.of(plan.model().keys().format());
        this.laneSum = new LaneSumText(plan);
        this.bytes = plan.model().keys().plainFormat().bits() / Byte.SIZE;
        this.lanes = plan.lanes();
    }

    void addTo(TypeSpec.Builder type) {
        plan.layout().keys().ifPresent(keys -> {
            if (keys.centred()) {
                type.addMethod(scoreMeans());
            }
            if (plan.gathers()) {
                return;
            }
            Pass.addMethods(type, plan, plan.streams(), pass -> scoreKept(keys, pass));
            if (keys.block().signed()) {
                Pass.addMethods(type, plan, plan.streams(), this::scoreSigns);
            }
        });
        if (plan.layout().keys().isEmpty() && plan.streams() > 1) {
            Pass.addMethods(type, plan, plan.streams(), this::scoreDense);
        }
        Pass.addMethods(type, plan, 1, this::scoreDense);
        if (!plan.gathers() || plan.layout().keys().isEmpty()) {
            type.addMethod(scorePacked());
        }
    }

    private MethodSpec scorePacked() {
        Pass all = new Pass(plan, 1, plan.streams());
        String arguments = all.arguments("tile");
        return KernelMethods.step("scorePacked")
                .addParameters(all.tiles("tile"))
                .addJavadoc("Scores of all query heads over packed tiles.\n")
                .addCode(KernelText.of(plan.layout()
                                .keys()
                                .map(keys -> (keys.centred() ? "scoreMeans(" + arguments + ");\n" : "")
                                        + Pass.calls(plan, plan.streams(), "scoreKept", arguments)
                                        + (keys.block().signed()
                                                ? Pass.calls(plan, plan.streams(), "scoreSigns", arguments)
                                                : ""))
                                .orElseGet(() -> Pass.calls(plan, plan.streams(), "scoreDense", arguments)))
                        .code())
                .build();
    }

    private MethodSpec scoreMeans() {
        Pass all = new Pass(plan, 1, plan.streams());
        String channels = """
            int query = g * PADDED_CHANNELS + channel;
            FloatVector queryLow = FloatVector.fromArray(FLOATS, scaledQueries, query);
            FloatVector queryHigh = FloatVector.fromArray(FLOATS, scaledQueries, query + LANES);
            """
                + all.perTile(numbers.loadNatural("mean@", "tile@ + channel * " + bytes + "L") + """
                    sum@ = mean@Low$low;
                    sum@ = mean@High$high;
                    """
                        .replace("$low", MultiplyAddText.of(plan, "queryLow", "sum@"))
                        .replace("$high", MultiplyAddText.of(plan, "queryHigh", "sum@")));
        String heads = all.perTile("FloatVector sum@ = FloatVector.zero(FLOATS);\n")
                + "for (int channel = 0; channel < PADDED_CHANNELS; channel += STEP) {\n" + channels.indent(4) + "}\n"
                + all.perTileAndHead(laneSum.prepare("sum@") + "meanScores[~] = " + laneSum.of("sum@") + ";\n");
        return KernelMethods.step("scoreMeans")
                .addParameters(all.tiles("tile"))
                .addJavadoc("What the channel means add to every score of a tile of packed keys: SUM_j mu_j u_j.\n")
                .addCode(KernelText.of("for (int g = 0; g < GROUP_SIZE; g++) {\n" + heads.indent(4) + "}\n")
                        .code())
                .build();
    }

    private MethodSpec scoreKept(KeyLayout keys, Pass pass) {
        int registers = numbers.registers(plan.layout().headDim(), lanes);
        StringBuilder tables = new StringBuilder();
        for (int register = 0; register < registers; register++) {
            int entry = register * numbers.entriesPerRegister(lanes);
            tables.append(pass.perHead(numbers.tableRegister(
                    "query#Part" + register, "queryTables", "? * TABLE_ENTRIES" + (entry == 0 ? "" : " + " + entry))));
        }
        SlotText slots = new SlotText("KEY", keys.block());
        String slot = pass.perTile(
                "long place@ = " + slots.place("block@") + ";\n"
                        + residuals.load(slots.residualAddress("place@", "lane"))
                        + numbers.indices(
                                slots.indexAddress("place@", "lane"), keys.block().indexBytes(), registers, lanes)
                        + "$heads",
                numbers.lookup("channel#@", "query#", registers, lanes) + """
                    first#@ = residual@First.fma(channel#@First, first#@);
                    second#@ = residual@Second.fma(channel#@Second, second#@);
                    """);
        String step = (keys.centred() && !residuals.quantised() ? means(pass) : pass.zeros())
                + "// Slot by slot: a kept channel's residual times the query's entry for that channel.\n"
                + "for (int slot = 0; slot < KEPT_CHANNELS; slot++) {\n" + slot.indent(4) + "}\n"
                + scaled(keys, pass) + pass.perTileAndHead(numbers.natural() + score("b * BLOCK_TOKENS") + """
                    low#@.intoArray(weights, score#@);
                    high#@.intoArray(weights, score#@ + LANES);
                    """);
        return kernel("scoreKept", pass)
                .addJavadoc(
                        "Sparse part of the scores $L,\nfor packed keys: $LSUM_kept_j e_tj u_j. Sets the scores.\n",
                        pass.served(),
                        keys.centred() ? "SUM_j mu_j u_j + " : "")
                .addCode(KernelText.of(tables
                                + overBlocks(
                                        pass, "long block@ = tile@ + KEY_BLOCKS + b * (long) KEY_BLOCK_BYTES;\n", step))
                        .code())
                .build();
    }

    /**
     * Begins every sum with what the channel means add to it; two sums of one vector object would keep it an object.
     */
    private static String means(Pass pass) {
        return pass.perTileAndHead("""
            FloatVector first#@ = FloatVector.broadcast(FLOATS, meanScores[~]);
            FloatVector second#@ = FloatVector.broadcast(FLOATS, meanScores[~]);
            """);
    }

    /** Brings the sums over integer residuals to the scales of their tokens. */
    private String scaled(KeyLayout keys, Pass pass) {
        if (!residuals.quantised()) {
            return "";
        }
        return pass.perTile(
                residuals.units("block@ + KEY_RESIDUAL_SCALES + lane") + "$heads",
                keys.centred()
                        ? """
                        first#@ = first#@.mul(unit@First).add(meanScores[~]);
                        second#@ = second#@.mul(unit@Second).add(meanScores[~]);
                        """
                        : """
                        first#@ = first#@.mul(unit@First);
                        second#@ = second#@.mul(unit@Second);
                        """);
    }

    private MethodSpec scoreSigns(Pass pass) {
        String step =
                "// Four channels at a time: their signs select one of the 16 signed sums of the query's entries.\n"
                        + SignSumText.sums(
                                pass,
                                "HEAD_DIM / 16",
                                "signs@ + (word * BLOCK_TOKENS + lane) * 2L",
                                "querySigns",
                                "? * (HEAD_DIM / 4)")
                        + pass.perHead("float unit# = querySteps[?];\n")
                        + pass.perTile(
                                numbers.loadNatural(
                                                "amplitude@", "signs@ + KEY_AMPLITUDES + lane * " + bytes + "L")
                                        + "$heads",
                                """
                                FloatVector low#@ = ((FloatVector) sum#@.convertShape(S2F, FLOATS, 0)).mul(unit#);
                                FloatVector high#@ = ((FloatVector) sum#@.convertShape(S2F, FLOATS, 1)).mul(unit#);
                                """
                                        + score("b * BLOCK_TOKENS")
                                        + """
                                    amplitude@Low.fma(low#@, FloatVector.fromArray(FLOATS, weights, score#@))
                                            .intoArray(weights, score#@);
                                    amplitude@High.fma(high#@, FloatVector.fromArray(FLOATS, weights, score#@ + LANES))
                                            .intoArray(weights, score#@ + LANES);
                                    """);
        return kernel("scoreSigns", pass)
                .addJavadoc(
                        "Sign part of the scores $L,\nfor packed keys: a_t * SUM_j sigma_tj u_j. Adds to the scores.\n",
                        pass.served())
                .addCode(KernelText.of(overBlocks(
                                pass, "long signs@ = tile@ + KEY_SIGNS + b * (long) KEY_SIGN_BYTES;\n", step))
                        .code())
                .build();
    }

    private MethodSpec scoreDense(Pass pass) {
        String natural = plan.gathers() ? numbers.naturalByWidening() : numbers.natural();
        String channel = pass.perHead("""
            FloatVector query# = FloatVector.broadcast(FLOATS, plainQueries[? * HEAD_DIM + channel]);
            """)
                + "int place = (channel * BLOCK_TOKENS + lane) * %d;\n".formatted(bytes)
                + pass.perTile(numbers.load("key@", "block@ + place") + "$heads", """
                    first#@ = key@First$first;
                    second#@ = key@Second$second;
                    """
                        .replace("$first", MultiplyAddText.of(plan, "query#", "first#@"))
                        .replace("$second", MultiplyAddText.of(plan, "query#", "second#@")));
        String step = pass.zeros()
                + "for (int channel = 0; channel < HEAD_DIM; channel++) {\n" + channel.indent(4) + "}\n"
                + pass.perTileAndHead(natural + score("b * BLOCK_TOKENS") + """
                    low#@.intoArray(weights, score#@);
                    high#@.intoArray(weights, score#@ + LANES);
                    """);
        return kernel("scoreDense", pass)
                .addJavadoc("Scores $L over dense keys: SUM_j k_tj q_j.\nSets the scores.\n", pass.served())
                .addCode(KernelText.of(overBlocks(
                                pass,
                                "long block@ = tile@ + b * (long) HEAD_DIM * BLOCK_TOKENS * %d;\n".formatted(bytes),
                                step))
                        .code())
                .build();
    }

    private static MethodSpec.Builder kernel(String name, Pass pass) {
        return KernelMethods.step(pass.name(name))
                .addParameters(pass.tiles("tile"))
                .addParameter(int.class, "g");
    }

    /** Walks the two blocks of a tile, and their tokens a step at a time. */
    private static String overBlocks(Pass pass, String block, String step) {
        return "for (int b = 0; b < 2; b++) {\n"
                + pass.perTile(block).indent(4)
                + "    for (int lane = 0; lane < BLOCK_TOKENS; lane += STEP) {\n"
                + step.indent(8)
                + "    }\n}\n";
    }

    private static String score(String block) {
        return "int score#@ = ~ * TILE_TOKENS + " + block + " + lane;\n";
    }
}
