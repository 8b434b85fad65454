package dev.attune.processor.emit;

import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.BlockLayout;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import javax.lang.model.element.Modifier;

/** Writes channel scoring, and the pruning and packing of keys and values. */
final class ScalarPackWriter {

    /** Passes over the entries to keep; of those that equal the threshold, the first are kept. */
    private static final String SKIP_KEPT = """
            if (magnitude > threshold) {
                continue;
            }
            if (magnitude == threshold && equal > 0) {
                equal--;
                continue;
            }
        """;

    /** Passes over the entries to prune. */
    private static final String SKIP_PRUNED = """
            if (magnitude < threshold) {
                continue;
            }
            if (magnitude == threshold) {
                if (ties == 0) {
                    continue;
                }
                ties--;
            }
        """;

    /** Declares where the signs of a token's block are. */
    static final String SIGN_BLOCK =
            "long signs = tile + KEY_SIGNS + token / BLOCK_TOKENS * KEY_SIGN_BYTES;\n    ";

    private final KernelPlan plan;
    private final NumberFormat keyFormat;
    private final NumberFormat valueFormat;

    ScalarPackWriter(KernelPlan plan) {
        this.plan = plan;
        this.keyFormat = plan.model().keys().plainFormat();
        this.valueFormat = plan.model().values().plainFormat();
    }

    void addTo(TypeSpec.Builder type) {
        type.addMethod(scoreChannels());
        type.addMethod(plan.layout().keys().map(this::packKeys).orElseGet(this::storeKeys));
        plan.layout().keys().ifPresent(keys -> type.addMethod(packKey(keys)));
        type.addMethod(plan.layout().values().map(this::packValues).orElseGet(this::storeValues));
        plan.layout().values().ifPresent(values -> type.addMethod(packChannel(values)));
        List<StoredResiduals> packed = new ArrayList<>();
        plan.layout().keys().ifPresent(keys -> packed.add(StoredResiduals.ofKeys(plan, keys)));
        plan.layout().values().ifPresent(values -> packed.add(StoredResiduals.ofValues(plan, values)));
        StoredResiduals.addTo(type, packed);
        if (plan.layout().hasAmplitudes()) {
            addPartialSums(type);
        }
        type.addMethod(storeDense());
    }

    private MethodSpec scoreChannels() {
        MethodSpec.Builder method = KernelMethods.scoreChannels();
        if (plan.layout().keys().isEmpty()) {
            return method.addComment("Dense keys need no scales.")
                    .addCode(KernelText.of("Arrays.fill(scales, head * HEAD_DIM, (head + 1) * HEAD_DIM, 1f);\n")
                            .code())
                    .build();
        }
        boolean mean = plan.model().keys().channelWeight() == ChannelWeight.MEAN;
        return method.addJavadoc(
                        mean
                                ? "Channel weight n_j = || mean over the G heads of q[g][p][j] ||_2 over the positions"
                                      + " p; scale s_j = sqrt(n_j).\n"
                                      + "A weight of zero is raised to a millionth of the largest, so that queries can"
                                      + " be divided by every scale.\n"
                                : "Channel weight n_j = root mean square of q[g][p][j] over heads and positions; scale"
                                      + " s_j = sqrt(n_j).\n"
                                      + "A weight of zero is raised to a millionth of the largest, so that queries can"
                                      + " be divided by every scale.\n")
                .addCode(KernelText.of("""
                    float largest = 0;
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        float squares = 0;
                        for (int position = 0; position < positions; position++) {
                    """)
                        .addIf(mean, """
                                    float sum = 0;
                                    for (int query = head * GROUP_SIZE; query < (head + 1) * GROUP_SIZE; query++) {
                                        sum += windowQueries[(query * positions + position) * HEAD_DIM + channel];
                                    }
                                    float mean = sum / GROUP_SIZE;
                                    squares += mean * mean;
                                }
                                float weight = (float) Math.sqrt(squares);
                            """)
                        .addIf(!mean, """
                                for (int query = head * GROUP_SIZE; query < (head + 1) * GROUP_SIZE; query++) {
                                    float entry = windowQueries[(query * positions + position) * HEAD_DIM + channel];
                                    squares += entry * entry;
                                }
                            }
                            float weight = (float) Math.sqrt(squares / (GROUP_SIZE * positions));
                        """)
                        .add("""
                                scales[head * HEAD_DIM + channel] = weight;
                                largest = Math.max(largest, weight);
                            }
                            float least = largest > 0 ? largest * 1e-6f : 1;
                            for (int channel = head * HEAD_DIM; channel < (head + 1) * HEAD_DIM; channel++) {
                                scales[channel] = (float) Math.sqrt(Math.max(scales[channel], least));
                            }
                            """)
                        .code())
                .build();
    }

    private MethodSpec packKeys(KeyLayout keys) {
        KernelText body = KernelText.of("""
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                float scale = scales[head * HEAD_DIM + channel];
            """)
                .addIf(keys.centred(), """
                        float sum = 0;
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            sum += keys[token * HEAD_DIM + channel] * scale;
                        }
                        long place = tile + channel * $bytes:LL;
                        $store:L(cache, place, sum / TILE_TOKENS);
                        float mean = $load:L(cache, place);
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            deviations[token * HEAD_DIM + channel] = keys[token * HEAD_DIM + channel] * scale - mean;
                        }
                    """)
                .addIf(!keys.centred(), """
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            deviations[token * HEAD_DIM + channel] = keys[token * HEAD_DIM + channel] * scale;
                        }
                    """)
                .add("""
                    }
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                        $signs:Lint lane = token % BLOCK_TOKENS;
                        packKey(token * HEAD_DIM, cache, block, $signed:Llane);
                    }
                    """)
                .with("signs", keys.block().signed() ? SIGN_BLOCK : "")
                .with("signed", keys.block().signed() ? "signs, " : "");
        return KernelMethods.packKeys()
                .addJavadoc(
                        keys.centred()
                                ? "Scaled keys k'_tj = k_tj * s_j, less the channel's mean over the tile, as it is"
                                        + " stored.\n"
                                : "Scaled keys k'_tj = k_tj * s_j.\n")
                .addCode(body.numbers(keyFormat).code())
                .build();
    }

    private MethodSpec packKey(KeyLayout keys) {
        StoredResiduals residuals = StoredResiduals.ofKeys(plan, keys);
        KernelText body = KernelText.of("""
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                magnitudes[channel] = Math.abs(deviations[row + channel]);
            }
            """)
                .add(smallestToKeep("HEAD_DIM", "KEPT_CHANNELS"))
                .addIf(keys.block().signed(), """

                    // Amplitude of the pruned channels: their root mean square.
                    Arrays.fill(partialSums, 0);
                    int equal = ties;
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        float deviation = deviations[row + channel];
                        float magnitude = Math.abs(deviation);
                    """ + SKIP_KEPT + """
                        partialSums[channel % 16] += deviation * deviation;
                    }
                    long amplitudePlace = signs + KEY_AMPLITUDES + lane * $bytes:LL;
                    $store:L(cache, amplitudePlace, (float) Math.sqrt(sumOfPartialSums() / PRUNED_CHANNELS));
                    float amplitude = $load:L(cache, amplitudePlace);
                    for (int word = 0; word < HEAD_DIM / 16; word++) {
                        int bits = 0;
                        for (int bit = 0; bit < 16; bit++) {
                            if (deviations[row + word * 16 + bit] > 0) {
                                bits |= 1 << bit;
                            }
                        }
                        cache.set(SHORT, signs + (word * BLOCK_TOKENS + lane) * 2L, (short) bits);
                    }
                    """)
                .add("""

                    // Kept channels in ascending order.
                    int slot = 0;
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        float deviation = deviations[row + channel];
                        float magnitude = Math.abs(deviation);
                    """ + SKIP_PRUNED + """
                    """)
                .add(residuals.place().indent(4))
                .add(residuals.storeIndex("channel").indent(4))
                .addIf(keys.block().signed(), """
                        float restored = deviation > 0 ? amplitude : -amplitude;
                    """)
                .add(residuals.store(keys.block().signed() ? "deviation - restored" : "deviation").indent(4))
                .add("""
                        slot++;
                    }
                    """)
                .add(residuals.storeRest());
        return KernelMethods.step("packKey")
                .addJavadoc("Keeps the channels of one token with the largest |deviation|; of equal ones, the lower"
                        + " first.\n")
                .addParameter(int.class, "row")
                .addParameters(lane(keys.block()))
                .addCode(body.numbers(keyFormat).code())
                .build();
    }

    /** Returns the parameters that say where a lane of a block is stored. */
    static List<ParameterSpec> lane(BlockLayout block) {
        List<ParameterSpec> parameters = new ArrayList<>();
        parameters.add(KernelMethods.cache());
        parameters.add(ParameterSpec.builder(long.class, "block").build());
        if (block.signed()) {
            parameters.add(ParameterSpec.builder(long.class, "signs").build());
        }
        parameters.add(ParameterSpec.builder(int.class, "lane").build());
        return parameters;
    }

    /** Finds the smallest magnitude to keep, and how many of those that equal it are kept. */
    private static String smallestToKeep(String count, String kept) {
        return """
            Arrays.sort(magnitudes, 0, COUNT);
            float threshold = magnitudes[COUNT - KEPT];
            int ties = 1;
            while (ties < KEPT && magnitudes[COUNT - KEPT + ties] == threshold) {
                ties++;
            }
            """.replace("COUNT", count).replace("KEPT", kept);
    }

    private MethodSpec packValues(ValueLayout values) {
        return KernelMethods.packValues().addCode(KernelText.of("""
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                long block = tile + VALUES + channel / BLOCK_CHANNELS * VALUE_BLOCK_BYTES;
            """).addIf(values.block().signed(), """
                    long signs = tile + VALUES + VALUE_SIGNS + channel / BLOCK_CHANNELS * VALUE_SIGN_BYTES;
                """).add("""
                packChannel(values, channel, cache, block, $signs:Lchannel % BLOCK_CHANNELS);
            }
            """).with("signs", values.block().signed() ? "signs, " : "").code()).build();
    }

    private MethodSpec packChannel(ValueLayout values) {
        StoredResiduals residuals = StoredResiduals.ofValues(plan, values);
        KernelText body = KernelText.of("""
            for (int token = 0; token < TILE_TOKENS; token++) {
                magnitudes[token] = Math.abs(values[token * HEAD_DIM + channel]);
            }
            """)
                .add(smallestToKeep("TILE_TOKENS", "KEPT_TOKENS"))
                .addIf(values.block().signed(), """

                    // Amplitude of the pruned tokens: their mean magnitude.
                    Arrays.fill(partialSums, 0);
                    int equal = ties;
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        float magnitude = Math.abs(values[token * HEAD_DIM + channel]);
                    """ + SKIP_KEPT + """
                        partialSums[token % 16] += magnitude;
                    }
                    long amplitudePlace = signs + VALUE_AMPLITUDES + lane * $bytes:LL;
                    $store:L(cache, amplitudePlace, sumOfPartialSums() / PRUNED_TOKENS);
                    float amplitude = $load:L(cache, amplitudePlace);
                    for (int word = 0; word < TILE_TOKENS / 16; word++) {
                        int bits = 0;
                        for (int bit = 0; bit < 16; bit++) {
                            if (values[(word * 16 + bit) * HEAD_DIM + channel] > 0) {
                                bits |= 1 << bit;
                            }
                        }
                        cache.set(SHORT, signs + (word * BLOCK_CHANNELS + lane) * 2L, (short) bits);
                    }
                    """)
                .add("""

                    // Kept tokens in ascending order.
                    int slot = 0;
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        float value = values[token * HEAD_DIM + channel];
                        float magnitude = Math.abs(value);
                    """ + SKIP_PRUNED + """
                    """)
                .add(residuals.place().indent(4))
                .add(residuals.storeIndex("token").indent(4))
                .addIf(values.block().signed(), """
                        float restored = value > 0 ? amplitude : -amplitude;
                    """)
                .add(residuals.store(values.block().signed() ? "value - restored" : "value").indent(4))
                .add("""
                        slot++;
                    }
                    """)
                .add(residuals.storeRest());
        return KernelMethods.step("packChannel")
                .addJavadoc(
                        "Keeps the tokens of one channel with the largest |value|; of equal ones, the earlier first.\n")
                .addParameter(KernelMethods.FLOATS, "values")
                .addParameter(int.class, "channel")
                .addParameters(lane(values.block()))
                .addCode(body.numbers(valueFormat).code())
                .build();
    }

    private MethodSpec storeKeys() {
        return KernelMethods.packKeys()
                .addJavadoc("Keys are dense: nothing is pruned.\n")
                .addCode(KernelText.of("""
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        long block = tile + token / BLOCK_TOKENS * (long) HEAD_DIM * BLOCK_TOKENS * $bytes:L;
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            long place = block + (channel * BLOCK_TOKENS + token % BLOCK_TOKENS) * $bytes:LL;
                            $store:L(cache, place, keys[token * HEAD_DIM + channel]);
                        }
                    }
                    """).numbers(keyFormat).code())
                .build();
    }

    private MethodSpec storeValues() {
        return KernelMethods.packValues()
                .addJavadoc("Values are dense: nothing is pruned.\n")
                .addCode(KernelText.of("""
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            long place = tile + VALUES + densePlace(token, channel) * $bytes:LL;
                            $store:L(cache, place, values[token * HEAD_DIM + channel]);
                        }
                    }
                    """).numbers(valueFormat).code())
                .build();
    }

    private MethodSpec storeDense() {
        return KernelMethods.storeDense()
                .addCode(KernelText.of("""
                    long keys = tile + token / BLOCK_TOKENS * (long) HEAD_DIM * BLOCK_TOKENS * $keyBytes:L;
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        long keyPlace = keys + (channel * BLOCK_TOKENS + token % BLOCK_TOKENS) * $keyBytes:LL;
                        $storeKey:L(cache, keyPlace, key[offset + channel]);
                        long valuePlace = tile + DENSE_VALUES + densePlace(token, channel) * $valueBytes:LL;
                        $storeValue:L(cache, valuePlace, value[offset + channel]);
                    }
                    """)
                        .with("keyBytes", keyFormat.bits() / Byte.SIZE)
                        .with("valueBytes", valueFormat.bits() / Byte.SIZE)
                        .with("storeKey", StoredNumbers.store(keyFormat))
                        .with("storeValue", StoredNumbers.store(valueFormat))
                        .code())
                .build();
    }

    /** Adds the sums behind amplitudes, in an order that vectors of every width can follow to the last bit. */
    static void addPartialSums(TypeSpec.Builder type) {
        type.addField(FieldSpec.builder(KernelMethods.FLOATS, "partialSums", Modifier.PRIVATE, Modifier.FINAL)
                .addJavadoc(
                        "Entry j of a row is summed into partial sum j % 16, so that every vector width rounds alike.")
                .initializer("new float[16]")
                .build());
        type.addMethod(KernelMethods.step("sumOfPartialSums")
                .returns(float.class)
                .addCode(KernelText.of("""
                    for (int half = 8; half > 0; half /= 2) {
                        for (int i = 0; i < half; i++) {
                            partialSums[i] += partialSums[i + half];
                        }
                    }
                    return partialSums[0];
                    """).code())
                .build());
    }
}
