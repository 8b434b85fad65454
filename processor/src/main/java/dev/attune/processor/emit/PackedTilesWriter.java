package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.lang.model.element.Modifier;

/** Writes what runs over packed tiles: their part of the decode step, and its two sides by themselves. */
final class PackedTilesWriter {

    private final KernelPlan plan;
    private final int streams;
    private final boolean scoresFirst;

    PackedTilesWriter(KernelPlan plan) {
        this.plan = plan;
        this.streams = plan.streams();
        this.scoresFirst =
                plan.gathers() && plan.layout().signedKeys() && plan.layout().signedValues();
    }

    void addTo(TypeSpec.Builder type) {
        if (scoresFirst) {
            VectorKernelsWriter.constant(
                    type, "SCORED_TILES", "8", "Tiles that are scored before their values are summed.");
            ScratchField.add(
                    type,
                    float.class,
                    "scored",
                    "SCORED_TILES * GROUP_SIZE * TILE_TOKENS",
                    "Scores of those tiles that wait for their values.");
        }
        type.addMethod(scoreKeys());
        type.addMethod(sumValues());
        type.addMethod(attendPacked());
        if (streams > 1) {
            type.addMethod(countTokens());
        }
        type.addMethod(writeScores());
        type.addMethod(readWeights());
    }

    private MethodSpec scoreKeys() {
        String step = "scorePacked(cache, " + arguments("at@") + ");\n"
                + perTile("writeScores(" + tile() + ", packedTokens, scores);\n");
        return KernelMethods.scoreKeys()
                .addCode(KernelText.of(withTables(
                                plan,
                                "prepareQueries(head, queries, scales);\n"
                                        + overTiles("tile", "packedTokens", "readAhead(cache, at, VALUES);\n", step)))
                        .code())
                .build();
    }

    private MethodSpec sumValues() {
        boolean sumRows = plan.gathers() && plan.layout().values().isPresent();
        String step = perTile("readWeights(" + tile() + ", packedTokens, weights);\n")
                + "sumPacked(cache, " + arguments("at@ + VALUES") + ");\n";
        return KernelMethods.sumValues()
                .addCode(KernelText.of(withTables(
                                plan,
                                "Arrays.fill(sumsOfValues, 0);\n"
                                        + (sumRows ? "Arrays.fill(sumRows, 0);\n" : "")
                                        + overTiles(
                                                "tile",
                                                "packedTokens",
                                                "readAhead(cache, at + VALUES, TILE_BYTES - VALUES);\n",
                                                step)
                                        + (sumRows ? "addSumRows();\n" : "")
                                        + """
                                        for (int g = 0; g < GROUP_SIZE; g++) {
                                            writeSums(g, 1, output, g * HEAD_DIM);
                                        }
                                        """))
                        .code())
                .build();
    }

    /** Returns what is done with a part of the static tables, if the plan has them. */
    static String withTables(KernelPlan plan, String text) {
        return plan.gathers()
                ? "part = PARTS.take(part);\ntry {\n" + text.indent(4) + "} finally {\n    PARTS.giveBack(part);\n}\n"
                : text;
    }

    private MethodSpec attendPacked() {
        MethodSpec.Builder method = KernelMethods.step("attendPacked")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "first")
                .addParameter(int.class, "count");
        if (streams > 1) {
            method.addJavadoc("""
                Reads the tiles from several places at once, each a run of neighbours: memory serves several sequential
                streams faster than one. Where the tiles do not divide into equal runs, the last one is read again, and
                none of its tokens count.
                """);
        }
        if (scoresFirst) {
            return method.addJavadoc("""
                    Scores several tiles before it sums their values: tables of queries stay in the first-level cache \
                    that way,
                    where tables of weights would take their place.
                    """)
                    .addCode(KernelText.of(scoringFirst()).code())
                    .build();
        }
        String readAhead = """
            if (step % READ_AHEAD_TILES == 0) {
                readAhead(cache, at, Math.min(READ_AHEAD_TILES, tiles - step) * TILE_BYTES);
            }
            """;
        String step = "scorePacked(cache, " + arguments("at@") + ");\n"
                + (streams == 1 ? "softmax();\n" : "softmax(STREAMS);\n")
                + "sumPacked(cache, " + arguments("at@ + VALUES") + ");\n";
        return method.addCode(KernelText.of(overTiles("first", "count", readAhead, step)).code())
                .build();
    }

    private String scoringFirst() {
        return """
            int tiles = (count + TILE_TOKENS - 1) / TILE_TOKENS;
            for (int step = 0; step < tiles; step += SCORED_TILES) {
                int end = Math.min(tiles, step + SCORED_TILES);
                for (int tile = step; tile < end; tile++) {
                    long at = first + (long) tile * TILE_BYTES;
            """
                + (plan.readAheadTiles() > 0 ? """
                            if (tile % READ_AHEAD_TILES == 0) {
                                readAhead(cache, at, Math.min(READ_AHEAD_TILES, tiles - tile) * TILE_BYTES);
                            }
                    """ : "")
                + """
                        scorePacked(cache, at);
                        System.arraycopy(weights, 0, scored, (tile - step) * weights.length, weights.length);
                    }
                    for (int tile = step; tile < end; tile++) {
                        System.arraycopy(scored, (tile - step) * weights.length, weights, 0, weights.length);
                        tokens[0] = Math.min(TILE_TOKENS, count - tile * TILE_TOKENS);
                        softmax();
                        sumPacked(cache, first + (long) tile * TILE_BYTES + VALUES);
                    }
                }
                """;
    }

    /**
     * Returns the loop over packed tiles, some of which are read at once. Its body finds the tiles' offsets in {@code
     * at}, or {@code atA}, {@code atB} and so on, and how many of their tokens count in {@code tokens}.
     *
     * @param first offset of the first tile
     * @param count number of tokens
     * @param readAhead what is read ahead, if the plan says so
     * @param body what is done with the tiles
     */
    private String overTiles(String first, String count, String readAhead, String body) {
        String loop = streams == 1 ? """
            int tiles = ($count + TILE_TOKENS - 1) / TILE_TOKENS;
            for (int step = 0; step < tiles; step++) {
                long at = $first + (long) step * TILE_BYTES;
            """
                + (plan.readAheadTiles() > 0 ? readAhead.indent(4) : "")
                + "    tokens[0] = Math.min(TILE_TOKENS, $count - step * TILE_TOKENS);\n" : """
            int tiles = ($count + TILE_TOKENS - 1) / TILE_TOKENS;
            int run = (tiles + STREAMS - 1) / STREAMS;
            for (int step = 0; step < run; step++) {
            """
                + perTile("""
                    long at@ = $first + (long) Math.min($tile, tiles - 1) * TILE_BYTES;
                    tokens[~] = countTokens($tile, $count);
                    """)
                        .indent(4);
        return loop.replace("$first", first).replace("$count", count) + body.indent(4) + "}\n";
    }

    /** Repeats a text for every tile of a step; {@code $tile} is the tile's number. */
    private String perTile(String text) {
        return Pass.perTile(streams, text.replace("$tile", "~ * run + step"))
                .replace("0 * run + ", "")
                .replace("1 * run", "run");
    }

    private String arguments(String argument) {
        return IntStream.range(0, streams)
                .mapToObj(stream -> argument.replace("@", Pass.letter(streams, stream)))
                .collect(Collectors.joining(", "));
    }

    private static MethodSpec countTokens() {
        return KernelMethods.step("countTokens")
                .addModifiers(Modifier.STATIC)
                .addJavadoc("Returns how many of so many tokens are in a tile.\n")
                .addParameter(int.class, "tile")
                .addParameter(int.class, "count")
                .returns(int.class)
                .addStatement("return $T.clamp(count - (long) tile * TILE_TOKENS, 0, TILE_TOKENS)", Math.class)
                .build();
    }

    private MethodSpec writeScores() {
        return ofTile("writeScores")
                .addJavadoc("Writes the scores of a tile's tokens, in units of log 2 so far, in natural ones.\n")
                .addParameter(KernelMethods.FLOATS, "scores")
                .addCode(KernelText.of("""
                    float unit = (float) Math.log(2);
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int row = $row:L * TILE_TOKENS;
                        int to = g * count + tile * TILE_TOKENS;
                        for (int token = 0; token < tokens[$stream:L]; token++) {
                            scores[to + token] = weights[row + token] * unit;
                        }
                    }
                    """)
                        .with("row", streams == 1 ? "g" : "(g * STREAMS + stream)")
                        .with("stream", stream())
                        .code())
                .build();
    }

    private MethodSpec readWeights() {
        LaneSumText sum = new LaneSumText(plan);
        return ofTile("readWeights")
                .addJavadoc("Takes over the weights of a tile's tokens; beyond them there is none.\n")
                .addParameter(KernelMethods.FLOATS, "given")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int row = $row:L * TILE_TOKENS;
                        int from = g * count + tile * TILE_TOKENS;
                        for (int token = 0; token < tokens[$stream:L]; token++) {
                            weights[row + token] = given[from + token];
                        }
                        Arrays.fill(weights, row + tokens[$stream:L], row + TILE_TOKENS, 0);
                        FloatVector sum = FloatVector.zero(FLOATS);
                        for (int token = row; token < row + TILE_TOKENS; token += LANES) {
                            sum = sum.add(FloatVector.fromArray(FLOATS, weights, token));
                        }
                    """)
                        .add(sum.prepare("sum").indent(4))
                        .add(("tileSums[row / TILE_TOKENS] = " + sum.of("sum") + ";\n").indent(4))
                        .add("}\n")
                        .with("row", streams == 1 ? "g" : "(g * STREAMS + stream)")
                        .with("stream", stream())
                        .code())
                .build();
    }

    /** A method for one of the tiles that are read at once: its number, and its place among them if there are more. */
    private MethodSpec.Builder ofTile(String name) {
        MethodSpec.Builder method = KernelMethods.step(name).addParameter(int.class, "tile");
        if (streams > 1) {
            method.addParameter(int.class, "stream");
        }
        return method.addParameter(int.class, "count");
    }

    private String tile() {
        return streams == 1 ? "$tile" : "$tile, ~";
    }

    private String stream() {
        return streams == 1 ? "0" : "stream";
    }
}
