package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.ValueLayout;
import java.util.EnumSet;
import java.util.Optional;

/**
 * Writes the packing of keys and values on vectors, a row at a time: the channels of one key, or the tokens of one value
 * channel. Every operation rounds as in the scalar class, so the packed bytes are the same.
 */
final class VectorPackWriter {

    private final KernelPlan plan;
    private final Optional<KeyLayout> keys;
    private final Optional<ValueLayout> values;

    VectorPackWriter(KernelPlan plan) {
        this.plan = plan;
        this.keys = plan.layout().keys().filter(layout -> !layout.block().quantised());
        this.values = plan.layout().values().filter(layout -> !layout.block().quantised());
    }

    /** Returns whether keys are packed on vectors; quantised ones, like dense ones, are the scalar class's. */
    static boolean packsKeys(KernelPlan plan) {
        return new VectorPackWriter(plan).keys.isPresent();
    }

    /** Returns whether values are packed on vectors, likewise. */
    static boolean packsValues(KernelPlan plan) {
        return new VectorPackWriter(plan).values.isPresent();
    }

    void addTo(TypeSpec.Builder type) {
        if (keys.isEmpty() && values.isEmpty()) {
            return;
        }
        EnumSet<NumberFormat> formats = EnumSet.noneOf(NumberFormat.class);
        keys.ifPresent(layout -> formats.add(plan.model().keys().format()));
        values.ifPresent(layout -> formats.add(plan.model().values().format()));
        StoredNumbers.addAccess(type, formats);
        addScratch(type);
        keys.ifPresent(layout -> {
            type.addMethod(packKeys(layout));
            type.addMethod(packKey(layout));
        });
        values.ifPresent(layout -> {
            type.addMethod(packValues(layout));
            type.addMethod(packChannel(layout));
        });
        type.addMethod(selectLargest());
        type.addMethod(countAtLeast());
        if (keys.map(layout -> layout.block().signed()).orElse(false)
                || values.map(layout -> layout.block().signed()).orElse(false)) {
            ScalarPackWriter.addPartialSums(type);
        }
    }

    private void addScratch(TypeSpec.Builder type) {
        String longest = "Math.max(HEAD_DIM, TILE_TOKENS)";
        ScratchField.add(type, float.class, "row", longest, "What one row of entries is selected from.");
        ScratchField.add(
                type,
                int.class,
                "magnitudes",
                longest,
                "The bits of its magnitudes, which as integers order like the floats.");
        ScratchField.add(
                type,
                long.class,
                "keptLanes",
                longest + " / LANES",
                "The entries to keep, a bit each, a vector of them at a time.");
        ScratchField.add(
                type, float.class, "keptResiduals", longest + " + LANES", "What is stored of the kept entries.");
        ScratchField.add(type, int.class, "keptIndices", longest + " + LANES", "Where they stand in the row.");
        if (keys.map(KeyLayout::centred).orElse(false)) {
            ScratchField.add(
                    type,
                    float.class,
                    "means",
                    "HEAD_DIM",
                    "The means of the scaled keys over a tile, as they are stored.");
        }
        type.addField(VectorKernelsWriter.vectorConstant("LANE_NUMBERS", "lane -> lane", "The numbers of the lanes."));
    }

    private MethodSpec packKeys(KeyLayout keys) {
        NumberFormat format = plan.model().keys().format();
        KernelText body = KernelText.of("int scale = head * HEAD_DIM;\n");
        if (keys.centred()) {
            body.add("""
                for (int channel = 0; channel < HEAD_DIM; channel += LANES) {
                    FloatVector scaling = FloatVector.fromArray(FLOATS, scales, scale + channel);
                    FloatVector sum = FloatVector.zero(FLOATS);
                    for (int token = 0; token < TILE_TOKENS; token++) {
                        sum = sum.add(FloatVector.fromArray(FLOATS, keys, token * HEAD_DIM + channel).mul(scaling));
                    }
                    sum.div(TILE_TOKENS).intoArray(means, channel);
                }
                for (int channel = 0; channel < HEAD_DIM; channel++) {
                    long place = tile + channel * $bytes:LL;
                    $store:L(cache, place, means[channel]);
                    means[channel] = $load:L(cache, place);
                }
                """);
        }
        body.add("""
            for (int token = 0; token < TILE_TOKENS; token++) {
                for (int channel = 0; channel < HEAD_DIM; channel += LANES) {
                    FloatVector.fromArray(FLOATS, keys, token * HEAD_DIM + channel)
                            .mul(FloatVector.fromArray(FLOATS, scales, scale + channel))
            """);
        body.addIf(keys.centred(), """
                            .sub(FloatVector.fromArray(FLOATS, means, channel))
            """);
        body.add("""
                            .intoArray(row, channel);
                }
                long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                $signs:LpackKey(cache, block, $signed:Ltoken % BLOCK_TOKENS);
            }
            """);
        body.with("signs", keys.block().signed() ? ScalarPackWriter.SIGN_BLOCK : "")
                .with("signed", keys.block().signed() ? "signs, " : "");
        return KernelMethods.packKeys()
                .addJavadoc(
                        keys.centred()
                                ? "Scaled keys k'_tj = k_tj * s_j, less the channel's mean over the tile, as it is"
                                        + " stored.\n"
                                : "Scaled keys k'_tj = k_tj * s_j.\n")
                .addCode(body.numbers(format).code())
                .build();
    }

    private MethodSpec packKey(KeyLayout keys) {
        KernelText body = KernelText.of("selectLargest(HEAD_DIM, KEPT_CHANNELS);\n");
        if (keys.block().signed()) {
            amplitude(
                    body, "HEAD_DIM", "entry.mul(entry)", "Amplitude of the pruned channels: their root mean square.");
            body.add("""
                long amplitudePlace = signs + KEY_AMPLITUDES + lane * $bytes:LL;
                $store:L(cache, amplitudePlace, (float) Math.sqrt(sumOfPartialSums() / PRUNED_CHANNELS));
                float amplitude = $load:L(cache, amplitudePlace);
                """);
            signs(body, "HEAD_DIM", "signs + (word * BLOCK_TOKENS + lane) * 2L");
        }
        residuals(body, "HEAD_DIM", keys.block().signed());
        store(body, "KEPT_CHANNELS", StoredResiduals.ofKeys(plan, keys));
        return KernelMethods.step("packKey")
                .addJavadoc("Keeps the channels of one token with the largest |deviation|; of equal ones, the lower"
                        + " first.\n")
                .addParameters(ScalarPackWriter.lane(keys.block()))
                .addCode(body.numbers(plan.model().keys().format()).code())
                .build();
    }

    private static MethodSpec packValues(ValueLayout values) {
        return KernelMethods.packValues().addCode(KernelText.of("""
            for (int channel = 0; channel < HEAD_DIM; channel++) {
                for (int token = 0; token < TILE_TOKENS; token++) {
                    row[token] = values[token * HEAD_DIM + channel];
                }
                long block = tile + VALUES + channel / BLOCK_CHANNELS * VALUE_BLOCK_BYTES;
            """).addIf(values.block().signed(), """
                    long signs = tile + VALUES + VALUE_SIGNS + channel / BLOCK_CHANNELS * VALUE_SIGN_BYTES;
                """).add("""
                packChannel(cache, block, $signs:Lchannel % BLOCK_CHANNELS);
            }
            """).with("signs", values.block().signed() ? "signs, " : "").code()).build();
    }

    private MethodSpec packChannel(ValueLayout values) {
        KernelText body = KernelText.of("selectLargest(TILE_TOKENS, KEPT_TOKENS);\n");
        if (values.block().signed()) {
            amplitude(body, "TILE_TOKENS", "entry.abs()", "Amplitude of the pruned tokens: their mean magnitude.");
            body.add("""
                long amplitudePlace = signs + VALUE_AMPLITUDES + lane * $bytes:LL;
                $store:L(cache, amplitudePlace, sumOfPartialSums() / PRUNED_TOKENS);
                float amplitude = $load:L(cache, amplitudePlace);
                """);
            signs(body, "TILE_TOKENS", "signs + (word * BLOCK_CHANNELS + lane) * 2L");
        }
        residuals(body, "TILE_TOKENS", values.block().signed());
        store(body, "KEPT_TOKENS", StoredResiduals.ofValues(plan, values));
        return KernelMethods.step("packChannel")
                .addJavadoc(
                        "Keeps the tokens of one channel with the largest |value|; of equal ones, the earlier first.\n")
                .addParameters(ScalarPackWriter.lane(values.block()))
                .addCode(body.numbers(plan.model().values().format()).code())
                .build();
    }

    private static void store(KernelText body, String kept, StoredResiduals residuals) {
        body.add("for (int slot = 0; slot < %s; slot++) {\n".formatted(kept))
                .add((residuals.place() + residuals.storeIndex("keptIndices[slot]") + residuals.store("keptResiduals[slot]"))
                        .indent(4))
                .add("}\n");
    }

    private static void amplitude(KernelText body, String count, String term, String comment) {
        body.add("""

            // %s
            for (int part = 0; part < 16; part += LANES) {
                FloatVector sum = FloatVector.zero(FLOATS);
                for (int i = part; i < %s; i += 16) {
                    FloatVector entry = FloatVector.fromArray(FLOATS, row, i);
                    sum = sum.add(%s.blend(0, VectorMask.fromLong(FLOATS, keptLanes[i / LANES])));
                }
                sum.intoArray(partialSums, part);
            }
            """.formatted(comment, count, term));
    }

    private static void signs(KernelText body, String count, String place) {
        body.add("""
            for (int word = 0; word < %s / 16; word++) {
                long bits = 0;
                for (int part = 0; part < 16; part += LANES) {
                    bits |= FloatVector.fromArray(FLOATS, row, word * 16 + part).compare(GT, 0).toLong() << part;
                }
                cache.set(SHORT, %s, (short) bits);
            }
            """.formatted(count, place));
    }

    private static void residuals(KernelText body, String count, boolean signed) {
        body.add("""

            // What is left of the kept entries beyond their restoration, in ascending order.
            int kept = 0;
            for (int i = 0; i < %s; i += LANES) {
                long lanes = keptLanes[i / LANES];
                FloatVector entry = FloatVector.fromArray(FLOATS, row, i);
            """.formatted(count));
        body.add(signed ? """
                FloatVector restored = FloatVector.broadcast(FLOATS, -amplitude).blend(amplitude, entry.compare(GT, 0));
                FloatVector residual = entry.sub(restored);
            """ : """
                    FloatVector residual = entry;
                """);
        body.add("""
                residual.compress(VectorMask.fromLong(FLOATS, lanes)).intoArray(keptResiduals, kept);
                LANE_NUMBERS.add(i).compress(VectorMask.fromLong(INTS, lanes)).intoArray(keptIndices, kept);
                kept += Long.bitCount(lanes);
            }
            """);
    }

    private static MethodSpec selectLargest() {
        return KernelMethods.step("selectLargest")
                .addJavadoc("""
                    Marks the largest magnitudes of a row in {@code keptLanes}; of equal ones, the first. Bisects the bits of the
                    smallest magnitude to keep, and stops once exactly as many reach it as are kept.
                    """)
                .addParameter(int.class, "count")
                .addParameter(int.class, "kept")
                .addCode(KernelText.of("""
                    IntVector largest = IntVector.zero(INTS);
                    for (int i = 0; i < count; i += LANES) {
                        IntVector magnitude = FloatVector.fromArray(FLOATS, row, i)
                                .reinterpretAsInts()
                                .and(Integer.MAX_VALUE);
                        magnitude.intoArray(magnitudes, i);
                        largest = largest.max(magnitude);
                    }
                    int above = largest.reduceLanes(MAX) + 1;
                    // Most often the smallest magnitude to keep is within a factor of 256 of the largest.
                    int least = Math.max(0, above - (8 << 23));
                    int reaching = countAtLeast(count, least);
                    if (reaching < kept) {
                        least = 0;
                        reaching = count;
                    }
                    while (reaching > kept && above - least > 1) {
                        int middle = least + (above - least) / 2;
                        int reachingMiddle = countAtLeast(count, middle);
                        if (reachingMiddle >= kept) {
                            least = middle;
                            reaching = reachingMiddle;
                        } else {
                            above = middle;
                        }
                    }
                    int surplus = reaching - kept;
                    for (int i = count - LANES; i >= 0; i -= LANES) {
                        IntVector magnitude = IntVector.fromArray(INTS, magnitudes, i);
                        long lanes = magnitude.compare(GE, least).toLong();
                        if (surplus > 0) {
                            long equal = magnitude.compare(EQ, least).toLong();
                            for (; surplus > 0 && equal != 0; surplus--) {
                                long last = Long.highestOneBit(equal);
                                equal ^= last;
                                lanes ^= last;
                            }
                        }
                        keptLanes[i / LANES] = lanes;
                    }
                    """).code())
                .build();
    }

    private static MethodSpec countAtLeast() {
        return KernelMethods.step("countAtLeast")
                .addParameter(int.class, "count")
                .addParameter(int.class, "least")
                .returns(int.class)
                .addCode(KernelText.of("""
                    int reaching = 0;
                    for (int i = 0; i < count; i += LANES) {
                        reaching += IntVector.fromArray(INTS, magnitudes, i).compare(GE, least).trueCount();
                    }
                    return reaching;
                    """).code())
                .build();
    }
}
