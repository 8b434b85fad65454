package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;

/**
 * Writes the scores of a chunk's tokens, tokens in lanes: the sparse part, the sign part and the means of packed keys,
 * and dense keys. The first part sets the chunk's scores, the others add to them.
 */
final class KeyScoreWriter {

    private final KernelPlan plan;
    private final PairText numbers;
    private final ResidualText residuals;
    private final int bytes;
    private final int lanes;

    KeyScoreWriter(KernelPlan plan, PairText numbers) {
        this.plan = plan;
        this.numbers = numbers;
        this.residuals = ResidualText.of(plan.model().keys().format());
        this.bytes = plan.model().keys().plainFormat().bits() / Byte.SIZE;
        this.lanes = plan.lanes();
    }

    void addTo(TypeSpec.Builder type) {
        plan.layout().keys().ifPresent(keys -> {
            Pass.addMethods(type, plan, heads -> scoreKept(keys, heads));
            if (keys.signed()) {
                Pass.addMethods(type, plan, this::scoreSigns);
            }
            if (keys.centred()) {
                type.addMethod(scoreMeans());
            }
        });
        Pass.addMethods(type, plan, this::scoreDense);
    }

    private MethodSpec scoreKept(KeyLayout keys, int heads) {
        int registers = numbers.registers(plan.layout().headDim(), lanes);
        StringBuilder tables = new StringBuilder();
        for (int head = 0; head < heads; head++) {
            for (int register = 0; register < registers; register++) {
                tables.append(numbers.tableRegister(
                        "query%dPart%d".formatted(head, register),
                        "queryTables",
                        SignSumText.plus("g", head) + " * TABLE_ENTRIES"
                                + (register == 0 ? "" : " + " + register * numbers.entriesPerRegister(lanes))));
            }
        }
        String slot = numbers.indices(
                        "block + KEY_INDICES + place" + (keys.indexBytes() == 2 ? " * 2" : ""),
                        keys.indexBytes(),
                        registers,
                        lanes)
                + residuals.load("block + KEY_RESIDUALS", "place", "slot / 2 * BLOCK_TOKENS + lane")
                + Pass.eachHead(
                        heads,
                        head -> numbers.lookup("channel" + head, "query" + head, registers, lanes)
                                + """
                                first# = residualFirst.fma(channel#First, first#);
                                second# = residualSecond.fma(channel#Second, second#);
                                """.replace("#", Integer.toString(head)));
        String step = Pass.zeros(heads)
                + "// Slot by slot: a kept channel's residual times the query's entry for that channel.\n"
                + "for (int slot = 0; slot < KEPT_CHANNELS; slot++) {\n"
                + "    long place = (long) slot * BLOCK_TOKENS + lane;\n"
                + slot.indent(4) + "}\n"
                + scaled(heads)
                + Pass.eachHead(heads, head -> numbers.natural(Integer.toString(head)) + setScores(head));
        return kernel("scoreKept" + heads)
                .addJavadoc(
                        "Sparse part of the scores $L, for packed keys: SUM_kept_j e_tj u_j.\nSets the scores.\n",
                        Pass.served(heads))
                .addCode(KernelText.of(tables + overBlocks(packedBlock(), step)).code())
                .build();
    }

    /** Brings the sums over integer residuals to the scales of their tokens. */
    private String scaled(int heads) {
        return residuals.quantised()
                ? residuals.units("block + KEY_RESIDUAL_SCALES + lane") + Pass.perHead(heads, """
                    first# = first#.mul(unitFirst);
                    second# = second#.mul(unitSecond);
                    """)
                : "";
    }

    private MethodSpec scoreSigns(int heads) {
        String step =
                "// Four channels at a time: their signs select one of the 16 signed sums of the query's entries.\n"
                        + SignSumText.sums(
                                heads,
                                "HEAD_DIM / 16",
                                "block + KEY_SIGNS + ((long) word * BLOCK_TOKENS + lane) * 2",
                                "querySigns",
                                "(HEAD_DIM / 4)",
                                2 * lanes)
                        + numbers.loadNatural("amplitude", "block + KEY_AMPLITUDES + lane * " + bytes + "L")
                        + Pass.perHead(heads, """
                            float unit# = querySteps[?];
                            FloatVector low# = ((FloatVector) sum#.convertShape(S2F, FLOATS, 0)).mul(unit#);
                            FloatVector high# = ((FloatVector) sum#.convertShape(S2F, FLOATS, 1)).mul(unit#);
                            """)
                        + Pass.eachHead(heads, this::addScores);
        return kernel("scoreSigns" + heads)
                .addJavadoc(
                        "Sign part of the scores $L, for packed keys: a_t * SUM_j sigma_tj u_j.\nAdds to the scores.\n",
                        Pass.served(heads))
                .addCode(KernelText.of(overBlocks(packedBlock(), step)).code())
                .build();
    }

    private MethodSpec scoreMeans() {
        return KernelMethods.step("scoreMeans")
                .addJavadoc("What the channel means add to every score of a tile of packed keys: SUM_j mu_j u_j.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "tile")
                .addParameter(int.class, "tiles")
                .addCode(KernelText.of("""
                    for (int t = 0; t < tiles; t++) {
                        long means = tile + (long) t * TILE_BYTES;
                        for (int g = 0; g < GROUP_SIZE; g++) {
                            FloatVector sum = FloatVector.zero(FLOATS);
                            for (int channel = 0; channel < PADDED_CHANNELS; channel += STEP) {
                    """)
                        .add((numbers.loadNatural("mean", "means + channel * " + bytes + "L") + """
                            int query = g * PADDED_CHANNELS + channel;
                            sum = meanLow.fma(FloatVector.fromArray(FLOATS, scaledQueries, query), sum);
                            sum = meanHigh.fma(FloatVector.fromArray(FLOATS, scaledQueries, query + LANES), sum);
                            """).indent(12))
                        .add("""
                                    }
                                    float score = sum.reduceLanes(ADD);
                                    int first = g * CHUNK_TOKENS + t * TILE_TOKENS;
                                    for (int token = first; token < first + TILE_TOKENS; token += LANES) {
                                        FloatVector.fromArray(FLOATS, weights, token).add(score).intoArray(weights, token);
                                    }
                                }
                            }
                            """)
                        .code())
                .build();
    }

    private MethodSpec scoreDense(int heads) {
        String channel = "long place = (long) channel * BLOCK_TOKENS + lane;\n"
                + numbers.load("key", "block + place * " + bytes)
                + Pass.perHead(heads, """
                    FloatVector query# = FloatVector.broadcast(FLOATS, plainQueries[? * HEAD_DIM + channel]);
                    first# = keyFirst.fma(query#, first#);
                    second# = keySecond.fma(query#, second#);
                    """);
        String step = Pass.zeros(heads)
                + "for (int channel = 0; channel < HEAD_DIM; channel++) {\n" + channel.indent(4) + "}\n"
                + Pass.eachHead(heads, head -> numbers.natural(Integer.toString(head)) + setScores(head));
        String block = """
            long block = keys + (b >> 1) * tileBytes + (b & 1) * HEAD_DIM * BLOCK_TOKENS * %dL;
            """.formatted(bytes);
        return KernelMethods.step("scoreDense" + heads)
                .addJavadoc("Scores $L over dense keys: SUM_j k_tj q_j.\nSets the scores.\n", Pass.served(heads))
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "keys")
                .addParameter(long.class, "tileBytes")
                .addParameter(int.class, "tiles")
                .addParameter(int.class, "g")
                .addCode(KernelText.of(overBlocks(block, step)).code())
                .build();
    }

    private static MethodSpec.Builder kernel(String name) {
        return KernelMethods.step(name)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "tile")
                .addParameter(int.class, "tiles")
                .addParameter(int.class, "g");
    }

    private static String packedBlock() {
        return "long block = tile + (long) (b >> 1) * TILE_BYTES + KEY_BLOCKS + (b & 1) * KEY_BLOCK_BYTES;\n";
    }

    /** Walks the blocks of the chunk's tiles, and their tokens a step at a time. */
    private static String overBlocks(String block, String step) {
        return """
                for (int b = 0; b < tiles * 2; b++) {
                """
                + block.indent(4)
                + "    for (int lane = 0; lane < BLOCK_TOKENS; lane += STEP) {\n"
                + step.indent(8)
                + "    }\n}\n";
    }

    private static String score(int head) {
        return Pass.forHead(head, "int score# = ? * CHUNK_TOKENS + b * BLOCK_TOKENS + lane;\n");
    }

    private static String setScores(int head) {
        return score(head) + """
            low#.intoArray(weights, score#);
            high#.intoArray(weights, score# + LANES);
            """.replace("#", Integer.toString(head));
    }

    private String addScores(int head) {
        return score(head) + """
            amplitudeLow.fma(low#, FloatVector.fromArray(FLOATS, weights, score#))
                    .intoArray(weights, score#);
            amplitudeHigh.fma(high#, FloatVector.fromArray(FLOATS, weights, score# + LANES))
                    .intoArray(weights, score# + LANES);
            """.replace("#", Integer.toString(head));
    }
}
