package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.ValueLayout;

/**
 * Writes the oracle's decode step, whole and its two sides by themselves: one tile at a time, sums in double precision.
 */
final class ScalarDecodeWriter {

    private final KernelPlan plan;
    private final NumberFormat keyFormat;
    private final NumberFormat valueFormat;

    ScalarDecodeWriter(KernelPlan plan) {
        this.plan = plan;
        this.keyFormat = plan.model().keys().plainFormat();
        this.valueFormat = plan.model().values().plainFormat();
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(scoreKeys());
        type.addMethod(sumValues());
        type.addMethod(attend());
        type.addMethod(prepareQueries());
        plan.layout().keys().ifPresent(keys -> type.addMethod(scorePackedKeys(keys)));
        type.addMethod(scoreDenseKeys());
        type.addMethod(softmax());
        plan.layout().values().ifPresent(values -> type.addMethod(sumPackedValues(values)));
        type.addMethod(sumDenseValues());
    }

    private String scoresPacked() {
        return plan.layout().keys().isPresent() ? "scorePackedKeys" : "scoreDenseKeys";
    }

    private String sumsPacked() {
        return plan.layout().values().isPresent() ? "sumPackedValues" : "sumDenseValues";
    }

    private MethodSpec scoreKeys() {
        return KernelMethods.scoreKeys()
                .addCode(KernelText.of("""
                    prepareQueries(head, queries, scales);
                    for (int token = 0; token < packedTokens; token += TILE_TOKENS) {
                        $scoreKeys:L(cache, tile + (long) (token / TILE_TOKENS) * TILE_BYTES);
                        int tokens = Math.min(TILE_TOKENS, packedTokens - token);
                        for (int g = 0; g < GROUP_SIZE; g++) {
                            for (int i = 0; i < tokens; i++) {
                                scores[g * packedTokens + token + i] = (float) weights[g * TILE_TOKENS + i];
                            }
                        }
                    }
                    """).with("scoreKeys", scoresPacked()).code())
                .build();
    }

    private MethodSpec sumValues() {
        return KernelMethods.sumValues()
                .addCode(KernelText.of("""
                    Arrays.fill(sumsOfValues, 0);
                    for (int token = 0; token < packedTokens; token += TILE_TOKENS) {
                        int tokens = Math.min(TILE_TOKENS, packedTokens - token);
                        Arrays.fill(this.weights, 0);
                        for (int g = 0; g < GROUP_SIZE; g++) {
                            for (int i = 0; i < tokens; i++) {
                                this.weights[g * TILE_TOKENS + i] = weights[g * packedTokens + token + i];
                            }
                        }
                        $sumValues:L(cache, tile + (long) (token / TILE_TOKENS) * TILE_BYTES + VALUES);
                    }
                    for (int i = 0; i < GROUP_SIZE * HEAD_DIM; i++) {
                        output[i] = (float) sumsOfValues[i];
                    }
                    """).with("sumValues", sumsPacked()).code())
                .build();
    }

    private MethodSpec attend() {
        return KernelMethods.attend()
                .addCode(KernelText.of("""
                    prepareQueries(head, queries, scales);
                    Arrays.fill(maxima, Double.NEGATIVE_INFINITY);
                    Arrays.fill(sums, 0);
                    Arrays.fill(sumsOfValues, 0);
                    for (int token = 0; token < packedTokens; token += TILE_TOKENS) {
                        long packed = tile + (long) (token / TILE_TOKENS) * TILE_BYTES;
                        $scoreKeys:L(cache, packed);
                        softmax(Math.min(TILE_TOKENS, packedTokens - token));
                        $sumValues:L(cache, packed + VALUES);
                    }
                    for (int token = 0; token < denseTokens; token += TILE_TOKENS) {
                        long newest = dense + (long) (token / TILE_TOKENS) * DENSE_TILE_BYTES;
                        scoreDenseKeys(cache, newest);
                        softmax(Math.min(TILE_TOKENS, denseTokens - token));
                        sumDenseValues(cache, newest + DENSE_VALUES);
                    }
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int query = head * GROUP_SIZE + g;
                        logSumExp[query] = (float) (maxima[g] + Math.log(sums[g]));
                        double scale = sums[g] > 0 ? 1 / sums[g] : 0;
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            output[query * HEAD_DIM + channel] = (float) (scale * sumsOfValues[g * HEAD_DIM + channel]);
                        }
                    }
                    """)
                        .with("scoreKeys", scoresPacked())
                        .with("sumValues", sumsPacked())
                        .code())
                .build();
    }

    private MethodSpec prepareQueries() {
        boolean packed = plan.layout().keys().isPresent();
        return KernelMethods.step("prepareQueries")
                .addJavadoc(
                        packed
                                ? "Folds the softmax scale 1 / sqrt(d) and the channel scales into the queries: u_j ="
                                        + " q_j / (s_j * sqrt(d)).\n"
                                : "Folds the softmax scale 1 / sqrt(d) into the queries.\n")
                .addParameter(int.class, "head")
                .addParameter(KernelMethods.FLOATS, "queries")
                .addParameter(KernelMethods.FLOATS, "scales")
                .addCode(KernelText.of("""
                    for (int i = 0; i < GROUP_SIZE * HEAD_DIM; i++) {
                        plainQueries[i] = queries[head * GROUP_SIZE * HEAD_DIM + i] / Math.sqrt(HEAD_DIM);
                    """).addIf(packed, """
                            scaledQueries[i] = plainQueries[i] / scales[head * HEAD_DIM + i % HEAD_DIM];
                        """).add("}\n").code())
                .build();
    }

    private MethodSpec scorePackedKeys(KeyLayout keys) {
        StoredResiduals residuals = StoredResiduals.ofKeys(plan, keys);
        KernelText body = KernelText.of("""
            for (int g = 0; g < GROUP_SIZE; g++) {
                int query = g * HEAD_DIM;
            """)
                .addIf(keys.centred(), """
                        double means = 0;
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            means += $load:L(cache, tile + channel * $bytes:LL) * scaledQueries[query + channel];
                        }
                    """)
                .add("""
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                            int lane = token % BLOCK_TOKENS;
                    """)
                .add(residuals.scale().indent(8))
                .add("""
                            double kept = 0;
                            for (int slot = 0; slot < KEPT_CHANNELS; slot++) {
                    """)
                .add((residuals.place() + "int channel = $index:L;\n" + residuals.load()).indent(12))
                .add("""
                                kept += residual * scaledQueries[query + channel];
                            }
                    """)
                .addIf(keys.block().signed(), """
                            long signs = tile + KEY_SIGNS + token / BLOCK_TOKENS * KEY_SIGN_BYTES;
                            double signed = 0;
                            for (int channel = 0; channel < HEAD_DIM; channel++) {
                                int word = cache.get(SHORT, signs + (channel / 16 * BLOCK_TOKENS + lane) * 2L);
                                boolean positive = (word >>> channel % 16 & 1) == 1;
                                signed += positive ? scaledQueries[query + channel] : -scaledQueries[query + channel];
                            }
                            double amplitude = $load:L(cache, signs + KEY_AMPLITUDES + lane * $bytes:LL);
                    """)
                .add("        weights[g * TILE_TOKENS + token] = $score:L;\n    }\n}\n")
                .with(
                        "score",
                        (keys.centred() ? "means + " : "")
                                + (keys.block().signed() ? "amplitude * signed + " : "")
                                + "kept")
                .with("index", residuals.index())
                .numbers(keyFormat);
        return KernelMethods.step("scorePackedKeys")
                .addJavadoc("Scores of a packed tile: $L.\n", ClassDocumentation.keyScore(keys))
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "tile")
                .addCode(body.code())
                .build();
    }

    private MethodSpec scoreDenseKeys() {
        return KernelMethods.step("scoreDenseKeys")
                .addJavadoc("Scores of a tile of dense keys.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "tile")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            long block = tile + token / BLOCK_TOKENS * (long) HEAD_DIM * BLOCK_TOKENS * $bytes:L;
                            double score = 0;
                            for (int channel = 0; channel < HEAD_DIM; channel++) {
                                long place = block + (channel * BLOCK_TOKENS + token % BLOCK_TOKENS) * $bytes:LL;
                                score += $load:L(cache, place) * plainQueries[g * HEAD_DIM + channel];
                            }
                            weights[g * TILE_TOKENS + token] = score;
                        }
                    }
                    """).numbers(keyFormat).code())
                .build();
    }

    private static MethodSpec softmax() {
        return KernelMethods.step("softmax")
                .addJavadoc(
                        "Turns one tile's scores into weights exp(score - maximum). When the maximum rises, what was"
                                + " summed so far\n"
                                + "shrinks by exp(old - new), so that all tiles end up relative to the largest score of"
                                + " all.\n")
                .addParameter(int.class, "tokens")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        double maximum = maxima[g];
                        for (int token = 0; token < tokens; token++) {
                            maximum = Math.max(maximum, weights[g * TILE_TOKENS + token]);
                        }
                        double shrink = Math.exp(maxima[g] - maximum);
                        maxima[g] = maximum;
                        sums[g] *= shrink;
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            sumsOfValues[g * HEAD_DIM + channel] *= shrink;
                        }
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            int place = g * TILE_TOKENS + token;
                            weights[place] = token < tokens ? Math.exp(weights[place] - maximum) : 0;
                            sums[g] += weights[place];
                        }
                    }
                    """).code())
                .build();
    }

    private MethodSpec sumPackedValues(ValueLayout values) {
        StoredResiduals residuals = StoredResiduals.ofValues(plan, values);
        KernelText body = KernelText.of("""
            for (int g = 0; g < GROUP_SIZE; g++) {
                int weight = g * TILE_TOKENS;
                for (int channel = 0; channel < HEAD_DIM; channel++) {
                    long block = values + channel / BLOCK_CHANNELS * VALUE_BLOCK_BYTES;
                    int lane = channel % BLOCK_CHANNELS;
            """)
                .add(residuals.scale().indent(8))
                .add("""
                            double kept = 0;
                            for (int slot = 0; slot < KEPT_TOKENS; slot++) {
                    """)
                .add((residuals.place() + "int token = $index:L;\n" + residuals.load()).indent(12))
                .add("""
                                kept += weights[weight + token] * residual;
                            }
                    """)
                .addIf(values.block().signed(), """
                            long signs = values + VALUE_SIGNS + channel / BLOCK_CHANNELS * VALUE_SIGN_BYTES;
                            double signed = 0;
                            for (int token = 0; token < TILE_TOKENS; token++) {
                                int word = cache.get(SHORT, signs + (token / 16 * BLOCK_CHANNELS + lane) * 2L);
                                boolean positive = (word >>> token % 16 & 1) == 1;
                                signed += positive ? weights[weight + token] : -weights[weight + token];
                            }
                            double amplitude = $load:L(cache, signs + VALUE_AMPLITUDES + lane * $bytes:LL);
                    """)
                .add("        sumsOfValues[g * HEAD_DIM + channel] += $sum:L;\n    }\n}\n")
                .with("sum", (values.block().signed() ? "amplitude * signed + " : "") + "kept")
                .with("index", residuals.index())
                .numbers(valueFormat);
        return KernelMethods.step("sumPackedValues")
                .addJavadoc("Value sum of a packed tile: $L.\n", ClassDocumentation.valueSum(values))
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "values")
                .addCode(body.code())
                .build();
    }

    private MethodSpec sumDenseValues() {
        return KernelMethods.step("sumDenseValues")
                .addJavadoc("Value sum of a tile of dense values.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            double weight = weights[g * TILE_TOKENS + token];
                            for (int channel = 0; channel < HEAD_DIM; channel++) {
                                long place = block + densePlace(token, channel) * $bytes:LL;
                                sumsOfValues[g * HEAD_DIM + channel] += weight * $load:L(cache, place);
                            }
                        }
                    }
                    """).numbers(valueFormat).code())
                .build();
    }
}
