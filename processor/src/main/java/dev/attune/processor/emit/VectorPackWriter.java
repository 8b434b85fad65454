package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;
import java.util.EnumSet;

/**
 * Writes the packing of keys and values on vectors, 32 lanes at a time: a lane is a token and its entries are channels
 * (keys), or a lane is a channel and its entries are tokens (values). That is the order of the packed bytes, so only
 * keys are ever transposed. Every operation rounds as in the scalar class, so the packed bytes are the same.
 */
final class VectorPackWriter {

    /** As many entries as a lane can have. */
    static final String MOST_ENTRIES = "Math.max(HEAD_DIM, TILE_TOKENS)";

    private final KernelPlan plan;
    private final TileLayout tile;
    private final NumberFormat keyFormat;
    private final NumberFormat valueFormat;
    private final boolean gathers;

    VectorPackWriter(KernelPlan plan) {
        this.plan = plan;
        this.tile = plan.layout();
        this.keyFormat = plan.model().keys().format();
        this.valueFormat = plan.model().values().format();
        this.gathers = plan.backend().vectorBits() > 128;
    }

    void addTo(TypeSpec.Builder type) {
        addNumbers(type);
        ScratchField.add(
                type,
                float.class,
                "entries",
                MOST_ENTRIES + " * BLOCK_TOKENS",
                "[entry][lane]: 32 lanes of what is packed, or of what a dense tile holds.");
        if (tile.keys().isPresent() || tile.values().isPresent()) {
            addScratch(type);
        }
        tile.keys().ifPresent(keys -> addKeys(type, keys));
        tile.values().ifPresent(values -> addValues(type, values));
        if (tile.hasAmplitudes()) {
            type.addMethod(subtractAmplitudes());
        }
        if (tile.keys().isPresent() || tile.values().isPresent()) {
            addIndices(type);
        }
        new DenseTileWriter(plan).addTo(type);
    }

    private void addNumbers(TypeSpec.Builder type) {
        EnumSet<NumberFormat> rounded = EnumSet.noneOf(NumberFormat.class);
        EnumSet<NumberFormat> quantised = EnumSet.noneOf(NumberFormat.class);
        tile.keys().ifPresent(keys -> {
            if (keys.centred() || keys.signed() || keys.quantised()) {
                rounded.add(plan.model().keys().plainFormat());
            }
            if (keys.quantised()) {
                quantised.add(keyFormat);
            }
        });
        tile.values().ifPresent(values -> {
            if (values.signed() || values.quantised()) {
                rounded.add(plan.model().values().plainFormat());
            }
            if (values.quantised()) {
                quantised.add(valueFormat);
            }
        });
        StoredVectors.addTo(
                type,
                EnumSet.of(
                        plan.model().keys().plainFormat(), plan.model().values().plainFormat()),
                rounded,
                MOST_ENTRIES);
        StoredVectors.addQuantised(type, quantised);
    }

    private void addScratch(TypeSpec.Builder type) {
        LaneSelectionWriter.addScratch(type, MOST_ENTRIES);
        ScratchField.add(
                type, byte.class, "bytes", MOST_ENTRIES + " * BLOCK_TOKENS", "Indices or residuals, as they are stored.");
        if (gathers) {
            ScratchField.add(
                    type, int.class, "places", MOST_ENTRIES + " * BLOCK_TOKENS", "Where the kept entries are.");
            type.addField(
                    VectorKernelsWriter.vectorConstant("LANE_NUMBERS", "lane -> lane", "The numbers of the lanes."));
        }
        if (tile.keys().map(KeyLayout::centred).orElse(false)) {
            ScratchField.add(
                    type, float.class, "means", "HEAD_DIM", "Means of the scaled keys over a tile, as they are stored.");
        }
        if (tile.hasAmplitudes()) {
            ScratchField.add(
                    type, float.class, "partialSums", "4 * LANES", "Sums of entries j with equal j % 4, a vector each.");
            ScratchField.add(type, float.class, "amplitudes", "BLOCK_TOKENS", "Amplitude of each lane.");
        }
    }

    private void addKeys(TypeSpec.Builder type, KeyLayout keys) {
        PackedSide side = PackedSide.of(keys, tile);
        type.addMethod(packKeys(side, keys));
        if (keys.centred()) {
            type.addMethod(averageKeys());
        }
        type.addMethod(scaleKeys(keys.centred()));
        type.addMethod(split(side, keys.signed(), "BLOCK_TOKENS"));
        new LaneSelectionWriter(side, gathers).addTo(type);
        if (keys.signed()) {
            type.addMethod(sumPruned(
                    side, "Amplitudes of the pruned channels: their root mean square.", "#.mul(#)", "PRUNED_CHANNELS"));
        }
    }

    private void addValues(TypeSpec.Builder type, ValueLayout values) {
        PackedSide side = PackedSide.of(values, tile);
        type.addMethod(packValues(side, values));
        type.addMethod(split(side, values.signed(), "PADDED_CHANNELS"));
        new LaneSelectionWriter(side, gathers).addTo(type);
        if (values.signed()) {
            type.addMethod(sumPruned(
                    side, "Amplitudes of the pruned tokens: their mean magnitude.", "#.abs()", "PRUNED_TOKENS"));
        }
    }

    private MethodSpec packKeys(PackedSide side, KeyLayout keys) {
        NumberFormat plain = plan.model().keys().plainFormat();
        KernelText body = side.text("int scale = head * HEAD_DIM;\n")
                .addIf(keys.centred(), """
                    averageKeys(keys, scales, scale);
                    """)
                .addIf(keys.centred(), StoredVectors.round(plain, "means", "HEAD_DIM"))
                .addIf(keys.centred(), """
                    $store:L(means, 0, HEAD_DIM, cache, tile);
                    """)
                .add("""
                    for (int token = 0; token < TILE_TOKENS; token += BLOCK_TOKENS) {
                        long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                        scaleKeys(keys, token * HEAD_DIM, scales, scale);
                        splitKeys(entries, 0$signs:L);
                    """)
                .add(pack(
                                side,
                                "entries, 0",
                                "BLOCK_TOKENS",
                                keyFormat,
                                keys.signed() ? "block + KEY_AMPLITUDES" : "",
                                "block + KEY_RESIDUALS",
                                "block + KEY_RESIDUAL_SCALES",
                                keys.indexBytes() == 1 ? "storeByteIndices" : "storeShortIndices",
                                "block + KEY_INDICES")
                        .indent(4))
                .add("}\n");
        return KernelMethods.packKeys()
                .addJavadoc(
                        keys.centred()
                                ? "Scaled keys k'_tj = k_tj * s_j, less the channel's mean over the tile, as it is"
                                        + " stored.\nA token keeps the channels with the largest |deviation|; of equal"
                                        + " ones, the lower first.\n"
                                : "Scaled keys k'_tj = k_tj * s_j.\n"
                                        + "A token keeps the channels with the largest |k'|; of equal ones, the lower"
                                        + " first.\n")
                .addCode(body.numbers(plain)
                        .with("signs", keys.signed() ? ", cache, block + KEY_SIGNS" : "")
                        .code())
                .build();
    }

    private MethodSpec packValues(PackedSide side, ValueLayout values) {
        NumberFormat plain = plan.model().values().plainFormat();
        boolean whole = PackedSide.wholeGroups(tile);
        KernelText body = side.text("""
            long block = tile + VALUES;
            for (int channel = 0; channel < HEAD_DIM; channel += GROUP_CHANNELS) {
            """)
                .addIf(!whole, """
                        // The last group is half a group: what would be its other channels is zero.
                        int lanes = Math.min(GROUP_CHANNELS, HEAD_DIM - channel);
                        for (int token = 0; token < TILE_TOKENS; token++) {
                            System.arraycopy(values, token * HEAD_DIM + channel, entries, token * GROUP_CHANNELS, lanes);
                            Arrays.fill(entries, token * GROUP_CHANNELS + lanes, (token + 1) * GROUP_CHANNELS, 0);
                        }
                        if (lanes < GROUP_CHANNELS) {
                            Arrays.fill(keptEntries, 0);
                            Arrays.fill(keptNumbers, 0);
                    """)
                .addIf(!whole && values.signed(), """
                            Arrays.fill(amplitudes, 0);
                    """)
                .addIf(!whole, """
                        }
                    """)
                .add("""
                        long residuals = block + VALUE_RESIDUALS + channel * $residualBytes:L;
                        splitValues($from:L$signs:L);
                    """)
                .add(pack(
                                side,
                                whole ? "values, channel" : "entries, 0",
                                whole ? "GROUP_CHANNELS" : "lanes",
                                valueFormat,
                                values.signed()
                                        ? "block + VALUE_AMPLITUDES + channel * %dL".formatted(values.numberBytes())
                                        : "",
                                "residuals",
                                "block + VALUE_RESIDUAL_SCALES + channel * %dL".formatted(values.numberBytes()),
                                "storeByteIndices",
                                "block + VALUE_INDICES + channel * (long) KEPT_TOKENS")
                        .indent(4))
                .add("}\n");
        return KernelMethods.packValues()
                .addJavadoc("A channel keeps the tokens with the largest |value|; of equal ones, the earlier first.\n")
                .addCode(body.numbers(plain)
                        .with("from", whole ? "values, channel" : "entries, 0")
                        .with("signs", values.signed() ? ", cache, block + VALUE_SIGNS + channel * 2L" : "")
                        .with(
                                "residualBytes",
                                valueFormat == NumberFormat.INT4
                                        ? "((KEPT_TOKENS + 1L) / 2)"
                                        : "(long) KEPT_TOKENS * " + valueFormat.bits() / Byte.SIZE)
                        .code())
                .build();
    }

    /** Calls the steps that pack 32 lanes, signs aside. */
    private String pack(
            PackedSide side,
            String from,
            String lanes,
            NumberFormat format,
            String amplitudes,
            String residuals,
            String residualScales,
            String storeIndices,
            String indices) {
        NumberFormat plain = format.quantised() ? NumberFormat.BFLOAT16 : format;
        StringBuilder text = new StringBuilder("""
            for (int lane = 0; lane < LANES_TO_PACK; lane += STEP) {
                select$side:L(lane);
            }
            for (int lane = 0; lane < LANES_TO_PACK; lane += LANES) {
                list$side:L(lane);
                gather$side:L(FROM, lane);
                drop$side:L(lane);
            """);
        if (amplitudes.isEmpty()) {
            text.append("}\n");
        } else {
            text.append("    sumPruned$side:L(FROM, lane);\n}\n")
                    .append(StoredVectors.round(plain, "amplitudes", "$lanes:L"))
                    .append("$store:L(amplitudes, 0, $lanes:L, cache, %s);\n".formatted(amplitudes))
                    .append("subtractAmplitudes($kept:L);\n");
        }
        text.append(
                format.quantised()
                        ? "%s($kept:L, cache, %s, %s);\n"
                                .formatted(StoredVectors.storeIntegers(format), residualScales, residuals)
                        : "$store:L(keptEntries, 0, $kept:L * $lanes:L, cache, %s);\n".formatted(residuals));
        text.append("%s($kept:L * $lanes:L, cache, %s);\n".formatted(storeIndices, indices));
        return text.toString().replace("LANES_TO_PACK", lanes).replace("FROM", from);
    }

    private MethodSpec averageKeys() {
        int vectors = tile.headDim() / plan.lanes();
        int together = vectors % 4 == 0 ? 4 : vectors % 2 == 0 ? 2 : 1;
        StringBuilder scaling = new StringBuilder();
        StringBuilder add = new StringBuilder();
        StringBuilder divide = new StringBuilder();
        for (int i = 0; i < together; i++) {
            String place = TransposeText.rows(i, "LANES");
            scaling.append("""
                FloatVector scalingI = FloatVector.fromArray(FLOATS, scales, scale + channelPLACE);
                FloatVector sumI = FloatVector.zero(FLOATS);
                """.replace("PLACE", place).replace("gI", "g" + i).replace("mI", "m" + i));
            add.append("sumI = sumI.add(FloatVector.fromArray(FLOATS, keys, placePLACE).mul(scalingI));\n"
                    .replace("PLACE", place)
                    .replace("gI", "g" + i)
                    .replace("mI", "m" + i));
            divide.append("sumI.div(TILE_TOKENS).intoArray(means, channelPLACE);\n"
                    .replace("PLACE", place)
                    .replace("mI", "m" + i));
        }
        return KernelMethods.step("averageKeys")
                .addJavadoc("Means of the scaled keys over the tile.\n")
                .addParameter(KernelMethods.FLOATS, "keys")
                .addParameter(KernelMethods.FLOATS, "scales")
                .addParameter(int.class, "scale")
                .addCode(KernelText.of("for (int channel = 0; channel < HEAD_DIM; channel += $step:L) {\n")
                        .add(scaling.toString().indent(4))
                        .add("""
                                for (int place = channel; place < TILE_TOKENS * HEAD_DIM; place += HEAD_DIM) {
                            """)
                        .add(add.toString().indent(8))
                        .add("    }\n")
                        .add(divide.toString().indent(4))
                        .add("}\n")
                        .with("step", together == 1 ? "LANES" : together + " * LANES")
                        .code())
                .build();
    }

    private MethodSpec scaleKeys(boolean centred) {
        String square = TransposeText.square(
                plan.lanes(),
                row -> "FloatVector.fromArray(FLOATS, keys, from%s)\n        .mul(scaling)%s.reinterpretAsInts()"
                        .formatted(TransposeText.rows(row, "HEAD_DIM"), centred ? ".sub(mean)" : ""),
                column -> "column.reinterpretAsFloats().intoArray(entries, to%s)"
                        .formatted(TransposeText.rows(column, "BLOCK_TOKENS")));
        return KernelMethods.step("scaleKeys")
                .addJavadoc(
                        centred
                                ? "Scales and centres the keys of a block, and puts tokens into lanes.\n"
                                : "Scales the keys of a block, and puts tokens into lanes.\n")
                .addParameter(KernelMethods.FLOATS, "keys")
                .addParameter(int.class, "first")
                .addParameter(KernelMethods.FLOATS, "scales")
                .addParameter(int.class, "scale")
                .addCode(KernelText.of("""
                    for (int channel = 0; channel < HEAD_DIM; channel += LANES) {
                        FloatVector scaling = FloatVector.fromArray(FLOATS, scales, scale + channel);
                    """)
                        .addIf(centred, """
                                FloatVector mean = FloatVector.fromArray(FLOATS, means, channel);
                            """)
                        .add("""
                                for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                                    int from = first + lane * HEAD_DIM + channel;
                                    int to = channel * BLOCK_TOKENS + lane;
                            """)
                        .add(square.indent(8))
                        .add("    }\n}\n")
                        .code())
                .build();
    }

    private static MethodSpec split(PackedSide side, boolean signed, String signStride) {
        KernelText body = side.text("""
            for (int lane = 0; lane < $lanes:L; lane += STEP) {
                for (int word = 0; word < $entries:L / 16; word++) {
            """)
                .addIf(signed, """
                            IntVector bit = IntVector.broadcast(INTS, 1);
                            IntVector lowSigns = IntVector.zero(INTS);
                            IntVector highSigns = IntVector.zero(INTS);
                    """)
                .add("""
                            for (int entry = word * 16; entry < word * 16 + 16; entry++) {
                                int place = first + entry * $stride:L + lane;
                                IntVector low = FloatVector.fromArray(FLOATS, from, place).reinterpretAsInts();
                                IntVector high = FloatVector.fromArray(FLOATS, from, place + LANES).reinterpretAsInts();
                                low.lanewise(LSHR, 16)
                                        .and(0x7FFF)
                                        .or(high.and(0x7FFF0000))
                                        .reinterpretAsShorts()
                                        .intoArray(magnitudes, entry * $lanes:L + lane);
                    """)
                .addIf(signed, """
                                lowSigns = lowSigns.lanewise(OR, bit, low.compare(GT, 0));
                                highSigns = highSigns.lanewise(OR, bit, high.compare(GT, 0));
                                bit = bit.add(bit);
                    """)
                .add("        }\n")
                .addIf(signed, """
                            long place = signs + (word * $signStride:L + lane) * 2L;
                            ((ShortVector) lowSigns.convertShape(I2S, HALF_SHORTS, 0))
                                    .intoMemorySegment(cache, place, LITTLE_ENDIAN);
                            ((ShortVector) highSigns.convertShape(I2S, HALF_SHORTS, 0))
                                    .intoMemorySegment(cache, place + LANES * 2, LITTLE_ENDIAN);
                    """)
                .add("    }\n}\n");
        MethodSpec.Builder method = KernelMethods.step("split" + side.name())
                .addJavadoc(
                        signed
                                ? "Parts 32 lanes into signs, which are stored, and the upper 16 bits of magnitudes.\n"
                                : "Takes the upper 16 bits of the magnitudes of 32 lanes.\n")
                .addParameter(KernelMethods.FLOATS, "from")
                .addParameter(int.class, "first");
        if (signed) {
            method.addParameter(KernelMethods.cache()).addParameter(long.class, "signs");
        }
        return method.addCode(body.with("signStride", signStride).code()).build();
    }

    private static MethodSpec sumPruned(PackedSide side, String meaning, String term, String pruned) {
        StringBuilder zeros = new StringBuilder();
        StringBuilder sums = new StringBuilder();
        for (int entry : new int[] {0, 1, 4, 5, 8, 9, 12, 13}) {
            zeros.append("FloatVector sum%d = FloatVector.zero(FLOATS);\n".formatted(entry));
            sums.append("""
                FloatVector entryN = FloatVector.fromArray(FLOATS, from, placePLACE);
                sumN = sumN.add(TERM, marks.and(BIT).compare(EQ, 0).cast(FLOATS));
                """.replace("TERM", term.replace("#", "entryN"))
                    .replace("PLACE", TransposeText.rows(entry, "$stride:L"))
                    .replace("BIT", entry == 0 ? "1" : "1 << " + entry)
                    .replace("entryN", "entry" + entry)
                    .replace("sumN", "sum" + entry));
        }
        KernelText body = side.text("for (int part = 0; part < 4; part += 2) {\n")
                .add(zeros.toString().indent(4))
                .add("""
                        for (int half = 0; half < $entries:L / 16; half++) {
                            IntVector marks = IntVector.fromArray(INTS, keptMarks, half / 2 * $lanes:L + lane)
                                    .lanewise(LSHR, half % 2 * 16 + part);
                            int place = first + (half * 16 + part) * $stride:L + lane;
                    """)
                .add(sums.toString().indent(8))
                .add("""
                        }
                        sum0.add(sum8).add(sum4.add(sum12)).intoArray(partialSums, part * LANES);
                        sum1.add(sum9).add(sum5.add(sum13)).intoArray(partialSums, (part + 1) * LANES);
                    }
                    FloatVector even = FloatVector.fromArray(FLOATS, partialSums, 0)
                            .add(FloatVector.fromArray(FLOATS, partialSums, 2 * LANES));
                    FloatVector odd = FloatVector.fromArray(FLOATS, partialSums, LANES)
                            .add(FloatVector.fromArray(FLOATS, partialSums, 3 * LANES));
                    even.add(odd).div($pruned:L)$root:L.intoArray(amplitudes, lane);
                    """);
        return KernelMethods.step("sumPruned" + side.name())
                .addJavadoc("""
                    $L
                    Entry j is summed into partial sum j % 16, and those are added pairwise: the order of the scalar class.
                    """, meaning)
                .addParameter(KernelMethods.FLOATS, "from")
                .addParameter(int.class, "first")
                .addParameter(int.class, "lane")
                .addCode(body.with("pruned", pruned)
                        .with("root", pruned.equals("PRUNED_CHANNELS") ? ".sqrt()" : "")
                        .code())
                .build();
    }

    private static MethodSpec subtractAmplitudes() {
        return KernelMethods.step("subtractAmplitudes")
                .addJavadoc("Leaves what kept entries have beyond their restoration.\n")
                .addParameter(int.class, "kept")
                .addCode(KernelText.of("""
                    for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                        FloatVector plus = FloatVector.fromArray(FLOATS, amplitudes, lane);
                        FloatVector minus = plus.neg();
                        for (int place = lane; place < kept * BLOCK_TOKENS; place += BLOCK_TOKENS) {
                            FloatVector entry = FloatVector.fromArray(FLOATS, keptEntries, place);
                            entry.sub(minus.blend(plus, entry.compare(GT, 0))).intoArray(keptEntries, place);
                        }
                    }
                    """).code())
                .build();
    }

    private void addIndices(TypeSpec.Builder type) {
        boolean shorts = tile.keys().map(keys -> keys.indexBytes() == 2).orElse(false);
        if (shorts) {
            type.addMethod(storeIndices("storeShortIndices", "", "SHORT", "shorts"));
        }
        if (tile.values().isPresent() || !shorts) {
            type.addMethod(storeIndices("storeByteIndices", """
                for (int i = 0; i < count; i += STEP) {
                    ((ByteVector) ShortVector.fromArray(SHORTS, shorts, i).convertShape(S2B, BYTES, 0)).intoArray(bytes, i);
                }
                """, "ValueLayout.JAVA_BYTE", "bytes"));
        }
    }

    private static MethodSpec storeIndices(String name, String narrow, String layout, String narrowed) {
        return KernelMethods.step(name)
                .addParameter(int.class, "count")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "offset")
                .addCode(KernelText.of("""
                    for (int i = 0; i < count; i += LANES) {
                        ((ShortVector) IntVector.fromArray(INTS, keptNumbers, i).convertShape(I2S, HALF_SHORTS, 0))
                                .intoArray(shorts, i);
                    }
                    """)
                        .add(narrow)
                        .add("""
                            MemorySegment.copy($narrowed:L, 0, cache, $layout:L, offset, count);
                            """)
                        .with("narrowed", narrowed)
                        .with("layout", layout)
                        .code())
                .build();
    }
}
