package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;

/** Writes the softmax of a chunk's scores, and the rounding of its weights to the format of the kept tokens. */
final class SoftmaxWriter {

    private final KernelPlan plan;
    private final PairText numbers;

    SoftmaxWriter(KernelPlan plan, PairText numbers) {
        this.plan = plan;
        this.numbers = numbers;
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(softmax());
        if (plan.layout().values().isPresent() && numbers.tableType() == short.class) {
            type.addField(VectorKernelsWriter.vectorConstant(
                    "EVENS", "lane -> 2 * lane", "Selects every even number of two vectors."));
            type.addField(VectorKernelsWriter.vectorConstant(
                    "ODDS", "lane -> 2 * lane + 1", "Selects every odd number of two vectors."));
            type.addMethod(roundWeights());
        }
    }

    private MethodSpec softmax() {
        boolean tileSums = plan.layout().values().map(values -> values.signed()).orElse(false);
        return KernelMethods.step("softmax")
                .addJavadoc("""
                    Turns the chunk's scores into weights exp(score - maximum). When the maximum rises, what was summed so far
                    shrinks by exp(old - new), so that all chunks end up relative to the largest score of all.
                    """)
                .addParameter(int.class, "tokens")
                .addCode(KernelText.of("""
                    int tiles = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int row = g * CHUNK_TOKENS;
                        Arrays.fill(weights, row + tokens, row + tiles * TILE_TOKENS, Float.NEGATIVE_INFINITY);
                        FloatVector largest = FloatVector.broadcast(FLOATS, maxima[g]);
                        for (int token = row; token < row + tiles * TILE_TOKENS; token += LANES) {
                            largest = largest.max(FloatVector.fromArray(FLOATS, weights, token));
                        }
                        float maximum = largest.reduceLanes(MAX);
                        if (maximum > maxima[g]) {
                            float shrink = (float) Math.exp(maxima[g] - maximum);
                            maxima[g] = maximum;
                            sums[g] *= shrink;
                            for (int i = g * PADDED_CHANNELS; i < (g + 1) * PADDED_CHANNELS; i += LANES) {
                                FloatVector.fromArray(FLOATS, sumsOfValues, i).mul(shrink).intoArray(sumsOfValues, i);
                            }
                        }
                        for (int t = 0; t < tiles; t++) {
                            FloatVector sum = FloatVector.zero(FLOATS);
                            int first = row + t * TILE_TOKENS;
                            for (int token = first; token < first + TILE_TOKENS; token += LANES) {
                                FloatVector weight = FloatVector.fromArray(FLOATS, weights, token)
                                        .sub(maximum)
                                        .lanewise(EXP);
                                weight.intoArray(weights, token);
                                sum = sum.add(weight);
                            }
                    """)
                        .add(tileSums ? """
                                    float tileSum = sum.reduceLanes(ADD);
                                    tileSums[g * CHUNK_TILES + t] = tileSum;
                                    sums[g] += tileSum;
                            """ : """
                                        sums[g] += sum.reduceLanes(ADD);
                                """)
                        .add("    }\n}\n")
                        .code())
                .build();
    }

    private static MethodSpec roundWeights() {
        return KernelMethods.step("roundWeights")
                .addJavadoc("Rounds the chunk's weights to nearest even bfloat16, for the lookup of kept tokens.\n")
                .addParameter(int.class, "tiles")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int row = g * CHUNK_TOKENS;
                        for (int token = row; token < row + tiles * TILE_TOKENS; token += STEP) {
                            IntVector low = FloatVector.fromArray(FLOATS, weights, token).reinterpretAsInts();
                            IntVector high = FloatVector.fromArray(FLOATS, weights, token + LANES).reinterpretAsInts();
                            IntVector even = EVENS.selectFrom(low, high);
                            IntVector odd = ODDS.selectFrom(low, high);
                            IntVector evenUp = even.lanewise(LSHR, 16).and(1).add(0x7FFF);
                            IntVector oddUp = odd.lanewise(LSHR, 16).and(1).add(0x7FFF);
                            even.add(evenUp)
                                    .lanewise(LSHR, 16)
                                    .or(odd.add(oddUp).and(0xFFFF0000))
                                    .reinterpretAsShorts()
                                    .intoArray(weightTables, token);
                        }
                    }
                    """).code())
                .build();
    }
}
