package dev.attune.processor.emit.opencl;

import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.LaneStream;
import dev.attune.processor.plan.OpenClPlan;

/**
 * Writes the kernel {@code attend} for tiles that are more than a lane has registers for: rows are loaded where their
 * numbers are used. Work-groups have several teams, since none has its next loads under way while it computes.
 */
final class StreamedAttendText {

    private final OpenClPlan plan;
    private final DeviceLayout device;
    private final StoredNumber keyNumber;
    private final StoredNumber valueNumber;
    private final StoredNumber keyResidual;
    private final StoredNumber valueResidual;
    private final boolean centred;
    private final boolean signedKeys;
    private final boolean signedValues;

    private StreamedAttendText(OpenClPlan plan) {
        this.plan = plan;
        this.device = plan.device();
        this.keyNumber = StoredNumber.of(plan.model().keys().plainFormat());
        this.valueNumber = StoredNumber.of(plan.model().values().plainFormat());
        this.keyResidual = StoredNumber.of(plan.model().keys().format());
        this.valueResidual = StoredNumber.of(plan.model().values().format());
        this.centred = device.keys().map(DeviceLayout.Keys::centred).orElse(false);
        this.signedKeys = device.keys().map(DeviceLayout.Keys::signed).orElse(false);
        this.signedValues = device.values().map(DeviceLayout.Values::signed).orElse(false);
    }

    static String write(OpenClPlan plan) {
        return new StreamedAttendText(plan).write();
    }

    private String write() {
        StringBuilder text = new StringBuilder();
        if (signedKeys || signedValues) {
            text.append(signedSums());
        }
        if (centred) {
            text.append(scoreMeans());
        }
        device.keys().ifPresent(keys -> text.append(scoreKeys(keys)));
        text.append(scoreDenseKeys());
        device.values().ifPresent(values -> text.append(sumValues(values)));
        text.append(sumDenseValues());
        text.append(attend());
        return text.toString();
    }

    private static String signedSums() {
        return """

                /* The sum of four numbers, each negated unless its bit is set. */
                static heads signed_sum(uint bits, local const heads *numbers) {
                    return (bits & 1 ? numbers[0] : -numbers[0]) + (bits & 2 ? numbers[1] : -numbers[1])
                            + (bits & 4 ? numbers[2] : -numbers[2]) + (bits & 8 ? numbers[3] : -numbers[3]);
                }

                /* The sum of 32 numbers under the signs of a word, from eight tables of 16 signed sums. */
                static heads sum_of_signs(uint word, local const heads *table) {
                    return table[word & 15] + table[16 + (word >> 4 & 15)]
                            + table[32 + (word >> 8 & 15)] + table[48 + (word >> 12 & 15)]
                            + table[64 + (word >> 16 & 15)] + table[80 + (word >> 20 & 15)]
                            + table[96 + (word >> 24 & 15)] + table[112 + (word >> 28)];
                }
                """;
    }

    private String scoreMeans() {
        return OpenClText.of("""

                /* The means' term of a packed tile's scores: SUM_j mu_j u_j. */
                static heads score_means(global const uchar *tile, local const heads *queries) {
                    global const $type *means = (global const $type *) (tile + KEY_MEANS);
                    heads score = 0;
                    for (uint channel = 0; channel < HEAD_DIM; channel++) {
                        score += $load(means + channel) * queries[channel];
                    }
                    return score;
                }
                """)
                .with("type", keyNumber.type())
                .with("load", keyNumber.load())
                .toString();
    }

    private String scoreKeys(DeviceLayout.Keys keys) {
        String kept = new StreamSumText(
                        keys.slots(),
                        keys.channels(),
                        keyResidual,
                        DeviceLayout.KEY_COLUMNS,
                        "kept[COLUMN] += NUMBER * queries[INDEX];")
                .write("tile + KEY_RESIDUALS", "tile + KEY_INDICES");
        OpenClText text = OpenClText.of("""

            /*
             * Scores of a lane's tokens of a packed tile$without:
             * $formula.
             */
            static void score_keys(
                    global const uchar *tile, uint lane, local const heads *queries, local const heads *signs,
                    heads scores[KEY_COLUMNS]) {
                heads kept[KEY_COLUMNS] = {0};
            """).add(kept);
        text.addIf(signedKeys, """
                $type amplitudes = ((global const $type *) (tile + KEY_AMPLITUDES))[lane];
            """ + indented(4, keyNumber.unpacked("amplitudes", DeviceLayout.KEY_COLUMNS * keyNumber.bytes())));
        text.addIf(keys.quantised(), """
                $type residual_scales = ((global const $type *) (tile + KEY_RESIDUAL_SCALES))[lane];
            """);
        for (int k = 0; k < DeviceLayout.KEY_COLUMNS; k++) {
            String keptPart = keys.quantised()
                    ? columnNumber(keyNumber, "residual_scales", DeviceLayout.KEY_COLUMNS, k) + " * kept[" + k + "]"
                    : "kept[" + k + "]";
            if (signedKeys) {
                text.add(sumOfSignWords(k))
                        .add("    scores[" + k + "] = " + keptPart + " + "
                                + columnNumber(keyNumber, "amplitudes", DeviceLayout.KEY_COLUMNS, k) + " * signed" + k
                                + ";\n");
            } else {
                text.add("    scores[" + k + "] = " + keptPart + ";\n");
            }
        }
        return text.add("}\n")
                .with("without", centred ? ", without the means' term" : "")
                .with("formula", signedKeys ? "a_t SUM_j sigma_tj u_j + SUM_kept_j e_tj u_j" : "SUM_kept_j e_tj u_j")
                .with("type", StoredNumber.wordsType(DeviceLayout.KEY_COLUMNS * keyNumber.bytes()))
                .toString();
    }

    private static String indented(int spaces, String statement) {
        return statement.isEmpty() ? "" : " ".repeat(spaces) + statement;
    }

    /** Returns a column's number of a row that holds one for each column of the lane. */
    private static String columnNumber(StoredNumber number, String row, int columns, int column) {
        return number.ofRow(row, columns * number.bytes(), column * number.bytes(), 0);
    }

    private static String sumOfSignWords(int column) {
        String token = column == 0 ? "lane" : "(lane + " + column * LaneStream.LANES + ")";
        return """
            heads signedCOLUMN = 0;
            {
                global const uint *words = (global const uint *) (tile + KEY_SIGNS) + TOKEN * (PADDED_CHANNELS / 32);
                for (uint word = 0; word < PADDED_CHANNELS / 32; word++) {
                    signedCOLUMN += sum_of_signs(words[word], signs + word * 8 * 16);
                }
            }
        """.replace("COLUMN", Integer.toString(column)).replace("TOKEN", token);
    }

    private String scoreDenseKeys() {
        int perRow = 16 / keyNumber.bytes();
        StringBuilder terms = new StringBuilder();
        for (int e = 0; e < perRow; e++) {
            if (e % DeviceLayout.KEY_COLUMNS == 0) {
                int channel = e / DeviceLayout.KEY_COLUMNS;
                terms.append("        query = queries[channel + " + channel + "]"
                        + (device.keys().isPresent() ? " * scales[channel + " + channel + "]" : "") + ";\n");
            }
            terms.append("        scores[" + e % DeviceLayout.KEY_COLUMNS + "] += "
                    + keyNumber.ofRow("keys", 16, e * keyNumber.bytes(), 0) + " * query;\n");
        }
        return OpenClText.of("""

                /* Scores of a lane's tokens of a tile of dense keys, which are not scaled: SUM_j k_tj s_j u_j. */
                static void score_dense_keys(
                        global const uchar *tile, uint lane, local const heads *queries, global const float *scales,
                        heads scores[KEY_COLUMNS]) {
                    scores[0] = 0;
                    scores[1] = 0;
                    for (uint row = 0; row < DENSE_KEY_STREAM / 16; row++) {
                        uint4 keys = ((global const uint4 *) tile)[row * LANES + lane];
                        uint channel = row * $channels;
                        heads query;
                """)
                .add(indented(8, keyNumber.unpacked("keys", 16)))
                .add(terms.toString())
                .add("    }\n}\n")
                .with("channels", perRow / DeviceLayout.KEY_COLUMNS)
                .toString();
    }

    private String sumValues(DeviceLayout.Values values) {
        int columns = device.valueColumns();
        String kept = new StreamSumText(
                        values.slots(),
                        values.tokens(),
                        valueResidual,
                        columns,
                        (values.quantised() ? "kept" : "own") + "[COLUMN] += NUMBER * weights[INDEX];")
                .write("residuals_of_group", "indices_of_group");
        OpenClText text = OpenClText.of("""

            /* Adds the values of a packed tile to a lane's sums: $formula. */
            static void sum_values(
                    global const uchar *values, uint lane, local const heads *weights, local const heads *signs,
                    heads sums[VALUE_GROUPS * VALUE_COLUMNS]) {
                #pragma unroll
                for (uint group = 0; group < VALUE_GROUPS; group++) {
                    global const uchar *residuals_of_group =
                            values + VALUE_RESIDUALS + group * LANES * VALUE_RESIDUAL_STREAM;
                    global const uchar *indices_of_group = values + VALUE_INDICES + group * LANES * VALUE_INDEX_STREAM;
                    heads *own = sums + group * VALUE_COLUMNS;
            """)
                .addIf(values.quantised(), "        heads kept[VALUE_COLUMNS] = {0};\n")
                .add(kept.indent(4))
                .addIf(values.quantised(), """
                            $type residual_scales =
                                    ((global const $type *) (values + VALUE_RESIDUAL_SCALES))[group * LANES + lane];
                    """);
        for (int k = 0; k < columns && values.quantised(); k++) {
            text.add("        own[" + k + "] += " + columnNumber(valueNumber, "residual_scales", columns, k)
                    + " * kept[" + k + "];\n");
        }
        text.addIf(signedValues, """
                    $type amplitudes = ((global const $type *) (values + VALUE_AMPLITUDES))[group * LANES + lane];
            """
                + indented(8, valueNumber.unpacked("amplitudes", columns * valueNumber.bytes())) + """
                    global const uint2 *words =
                            (global const uint2 *) (values + VALUE_SIGNS) + group * VALUE_COLUMNS * LANES + lane;
            """);
        for (int k = 0; k < columns && signedValues; k++) {
            text.add("        own[" + k + "] += " + columnNumber(valueNumber, "amplitudes", columns, k) + "\n"
                    + "                * (sum_of_signs(words[" + k + " * LANES].s0, signs)"
                    + " + sum_of_signs(words[" + k + " * LANES].s1, signs + 8 * 16));\n");
        }
        return text.add("    }\n}\n")
                .with(
                        "formula",
                        signedValues ? "b_j SUM_t p_t sigma_tj + SUM_kept_t p_t e_tj" : "SUM_kept_t p_t e_tj")
                .with("type", StoredNumber.wordsType(columns * valueNumber.bytes()))
                .toString();
    }

    private String sumDenseValues() {
        int perRow = 16 / valueNumber.bytes();
        int columns = device.valueColumns();
        StringBuilder terms = new StringBuilder();
        for (int e = 0; e < perRow; e++) {
            terms.append("            own[" + e % columns + "] += "
                    + valueNumber.ofRow("numbers", 16, e * valueNumber.bytes(), 0)
                    + " * weights[token + " + e / columns + "];\n");
        }
        return OpenClText.of("""

                /* Adds the values of a tile of dense values to a lane's sums: SUM_t p_t v_tj. */
                static void sum_dense_values(
                        global const uchar *values, uint lane, local const heads *weights,
                        heads sums[VALUE_GROUPS * VALUE_COLUMNS]) {
                    #pragma unroll
                    for (uint group = 0; group < VALUE_GROUPS; group++) {
                        heads *own = sums + group * VALUE_COLUMNS;
                        for (uint row = 0; row < DENSE_VALUE_STREAM / 16; row++) {
                            uint4 numbers = ((global const uint4 *) (values + group * LANES * DENSE_VALUE_STREAM))
                                    [row * LANES + lane];
                            uint token = row * $tokens;
                """)
                .add(indented(12, valueNumber.unpacked("numbers", 16)))
                .add(terms.toString())
                .add("        }\n    }\n}\n")
                .with("tokens", perRow / columns)
                .toString();
    }

    private String attend() {
        boolean prunedKeys = device.keys().isPresent();
        boolean prunedValues = device.values().isPresent();
        return OpenClText.of("""

                /* Scores are exponents of 2: queries are multiplied by log2(e) / sqrt(HEAD_DIM). */
                #define SCORE_SCALE (M_LOG2E_F / sqrt((float) HEAD_DIM))

                /* A softmax is relative to a score that is raised only when another exceeds it by this much. */
                #define RISE 8

                /*
                 * The decode step over one split of the tokens, for the query heads of one pass. Work-groups are
                 * [heads][PASSES][splits]; each of their teams takes every TEAMS-th tile of the split. A lane scores \
                tokens and
                 * then sums values of channels; the weights pass from one to the other in local memory.
                 *
                 * Partial results are [heads][PASSES][splits * TEAMS]: sums of values [HEAD_DIM], the score they are \
                relative to,
                 * and the sum of the weights, each for the HEADS of the pass.
                 */
                kernel __attribute__((reqd_work_group_size(LANES * TEAMS, 1, 1)))
                void attend(
                        global const float *queries, global const float *scales, global const uchar *packed,
                        global const uchar *dense, global heads *partials, int packed_tokens, int dense_tokens,
                        int packed_stride, int dense_stride, int splits, global int *receipt, int launch) {
                    local heads query_table[PADDED_CHANNELS];
                """)
                .addIf(signedKeys, """
                    local heads query_signs[PADDED_CHANNELS / 4 * 16];
                """)
                .add("""
                    local heads weights_of[2][TEAMS][TILE_TOKENS];
                """)
                .addIf(signedValues, """
                    local heads weight_signs_of[TEAMS][TILE_TOKENS / 4 * 16];
                """)
                .addIf(centred, """
                    local heads mean_terms_of[TEAMS][LANES];
                """)
                .add("""
                    local heads maxima_of[TEAMS][LANES];
                    local int raised[3];

                    uint item = get_local_id(0);
                    uint team = item / LANES;
                    uint lane = item % LANES;
                    uint split = get_group_id(0) % splits;
                    uint pass = get_group_id(0) / splits % PASSES;
                    uint head = get_group_id(0) / splits / PASSES;
                    queries += head * GROUP_SIZE * HEAD_DIM;
                    scales += head * HEAD_DIM;
                    packed += (size_t) head * packed_stride * TILE_BYTES;
                    dense += (size_t) head * dense_stride * DENSE_TILE_BYTES;
                    local heads *maxima = maxima_of[team];

                    // u_j = q_j / s_j
                    for (uint channel = item; channel < PADDED_CHANNELS; channel += LANES * TEAMS) {
                        query_table[channel] = channel < HEAD_DIM
                                ? query_of(queries, pass, channel) * (SCORE_SCALE / scales[channel])
                                : (heads) (0);
                    }
                    if (item < 3) {
                        raised[item] = 0;
                    }
                    barrier(CLK_LOCAL_MEM_FENCE);
                """)
                .addIf(signedKeys, """
                    for (uint entry = item; entry < PADDED_CHANNELS / 4 * 16; entry += LANES * TEAMS) {
                        query_signs[entry] = signed_sum(entry % 16, query_table + entry / 16 * 4);
                    }
                    barrier(CLK_LOCAL_MEM_FENCE);
                """)
                .add("""

                    int packed_tiles = (packed_tokens + TILE_TOKENS - 1) / TILE_TOKENS;
                    int dense_tiles = (dense_tokens + TILE_TOKENS - 1) / TILE_TOKENS;
                    int begin = (long) (packed_tiles + dense_tiles) * split / splits;
                    int end = (long) (packed_tiles + dense_tiles) * (split + 1) / splits;
                    heads reference = -FLT_MAX;
                    heads sum_of_weights = 0;
                    heads sums[VALUE_GROUPS * VALUE_COLUMNS] = {0};
                    for (int step = 0; begin + step * TEAMS < end; step++) {
                        int tile = begin + step * TEAMS + team;
                        global const uchar *packed_tile = packed + (size_t) tile * TILE_BYTES;
                        global const uchar *dense_tile = dense + (size_t) (tile - packed_tiles) * DENSE_TILE_BYTES;
                """)
                .addIf(centred, """
                        if (step % LANES == 0) {
                            // The means' terms of the team's next tiles, one a lane.
                            int ahead = begin + (step + (int) lane) * TEAMS + team;
                            if (ahead < min(end, packed_tiles)) {
                                mean_terms_of[team][lane] =
                                        score_means(packed + (size_t) ahead * TILE_BYTES, query_table);
                            }
                            barrier(CLK_LOCAL_MEM_FENCE);
                        }
                """)
                .add("""

                        // Scores of tokens lane and lane + LANES; a team without a tile only keeps step with the \
                others.
                        heads scores[KEY_COLUMNS];
                        int count = 0;
                        if (tile < min(end, packed_tiles)) {
                """)
                .addIf(prunedKeys, "            score_keys(packed_tile, lane, query_table, $querySigns, scores);\n")
                .addIf(!prunedKeys, "            score_dense_keys(packed_tile, lane, query_table, scales, scores);\n")
                .addIf(centred, """
                            scores[0] += mean_terms_of[team][step % LANES];
                            scores[1] += mean_terms_of[team][step % LANES];
                """)
                .add("""
                            count = min(TILE_TOKENS, packed_tokens - tile * TILE_TOKENS);
                        } else if (tile < end) {
                            score_dense_keys(dense_tile, lane, query_table, scales, scores);
                            count = min(TILE_TOKENS, dense_tokens - (tile - packed_tiles) * TILE_TOKENS);
                        }
                        for (int k = 0; k < KEY_COLUMNS; k++) {
                            if ((int) lane + k * LANES >= count) {
                                scores[k] = -INFINITY;
                            }
                        }

                        // Weights relative to the reference. Buffers and flags alternate, so that none is written \
                while a lane that
                        // is behind still reads it.
                        local heads *weights = weights_of[step % 2][team];
                        heads highest = fmax(scores[0], scores[1]);
                        heads weight0 = exp2(scores[0] - reference);
                        heads weight1 = exp2(scores[1] - reference);
                        weights[lane] = weight0;
                        weights[lane + LANES] = weight1;
                        if ($any(highest > reference + RISE)) {
                            raised[step % 3] = 1;
                        }
                        barrier(CLK_LOCAL_MEM_FENCE);
                        if (item == 0) {
                            raised[(step + 2) % 3] = 0;
                        }
                        if (raised[step % 3]) {
                            maxima[lane] = highest;
                            barrier(CLK_LOCAL_MEM_FENCE);
                            heads higher = reference;
                            for (uint other = 0; other < LANES; other++) {
                                higher = fmax(higher, maxima[other]);
                            }
                            heads shrink = exp2(reference - higher);
                            reference = higher;
                            sum_of_weights *= shrink;
                            for (uint i = 0; i < VALUE_GROUPS * VALUE_COLUMNS; i++) {
                                sums[i] *= shrink;
                            }
                            weight0 = exp2(scores[0] - reference);
                            weight1 = exp2(scores[1] - reference);
                            weights[lane] = weight0;
                            weights[lane + LANES] = weight1;
                            barrier(CLK_LOCAL_MEM_FENCE);
                        }
                        sum_of_weights += weight0 + weight1;
                """)
                .addIf(signedValues, """

                        // Tables of signed sums of four weights; table 8 w + i serves bits 4 i to 4 i + 3 of word w.
                        local heads *weight_signs = weight_signs_of[team];
                        for (uint entry = lane; entry < TILE_TOKENS / 4 * 16; entry += LANES) {
                            weight_signs[entry] = signed_sum(
                                    entry % 16, weights + token_of_bit(entry / 16 / 8, entry / 16 % 8 * 4));
                        }
                        barrier(CLK_LOCAL_MEM_FENCE);
                """)
                .add("""

                        // Sums of values.
                        if (tile < min(end, packed_tiles)) {
                """)
                .addIf(prunedValues, """
                            sum_values(packed_tile + VALUES, lane, weights, $weightSigns, sums);
                """)
                .addIf(!prunedValues, "            sum_dense_values(packed_tile + VALUES, lane, weights, sums);\n")
                .add("""
                        } else if (tile < end) {
                            sum_dense_values(dense_tile + DENSE_VALUES, lane, weights, sums);
                        }
                    }

                    barrier(CLK_LOCAL_MEM_FENCE);
                    maxima[lane] = sum_of_weights;
                    barrier(CLK_LOCAL_MEM_FENCE);
                    global heads *partial = partials + (size_t) (get_group_id(0) * TEAMS + team) * (HEAD_DIM + 2);
                    for (uint i = 0; i < VALUE_GROUPS * VALUE_COLUMNS; i++) {
                        if (i * LANES + lane < HEAD_DIM) {
                            partial[i * LANES + lane] = sums[i];
                        }
                    }
                    if (lane == 0) {
                        for (uint other = 1; other < LANES; other++) {
                            sum_of_weights += maxima[other];
                        }
                        partial[HEAD_DIM] = reference;
                        partial[HEAD_DIM + 1] = sum_of_weights;
                    }
                    sign(receipt, launch);
                }
                """)
                .with("any", plan.heads() == 1 ? "" : "any")
                .with("querySigns", signedKeys ? "query_signs" : "0")
                .with("weightSigns", signedValues ? "weight_signs" : "0")
                .toString();
    }
}
