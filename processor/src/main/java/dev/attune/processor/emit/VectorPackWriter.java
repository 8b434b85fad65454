package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.TileLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

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
    private final boolean gathers;

    VectorPackWriter(KernelPlan plan) {
        this.plan = plan;
        this.tile = plan.layout();
        this.gathers = plan.backend().vectorBits() > 128;
    }

    void addTo(TypeSpec.Builder type) {
        addNumbers(type);
        ScratchField.add(
                type,
                float.class,
                "entries",
                MOST_ENTRIES + " * BLOCK_TOKENS",
                "[entry][lane]: a block of what is packed, or of what a dense tile holds.");
        if (!sides().isEmpty()) {
            addScratch(type);
        }
        tile.keys().ifPresent(keys -> {
            type.addMethod(packKeys(PackedSide.ofKeys(plan, keys)));
            if (keys.centred()) {
                type.addMethod(averageKeys());
            }
            type.addMethod(scaleKeys());
        });
        tile.values().ifPresent(values -> type.addMethod(packValues(PackedSide.ofValues(plan, values))));
        for (PackedSide side : sides()) {
            type.addMethod(split(side));
            new LaneSelectionWriter(side, gathers).addTo(type);
            if (side.signed()) {
                type.addMethod(sumPruned(side));
            }
            type.addMethod(storeSlots(side));
        }
        if (tile.hasAmplitudes()) {
            type.addMethod(subtractAmplitudes());
        }
        new DenseTileWriter(plan).addTo(type);
    }

    private void addNumbers(TypeSpec.Builder type) {
        EnumSet<NumberFormat> rounded = EnumSet.noneOf(NumberFormat.class);
        if (centred() || tile.signedKeys()) {
            rounded.add(plan.model().keys().plainFormat());
        }
        if (tile.signedValues()) {
            rounded.add(plan.model().values().plainFormat());
        }
        boolean quantises = sides().stream().anyMatch(side -> side.block().quantised());
        if (quantises) {
            rounded.add(NumberFormat.BFLOAT16);
        }
        StoredVectors.addTo(
                type,
                EnumSet.of(
                        plan.model().keys().plainFormat(), plan.model().values().plainFormat()),
                rounded,
                MOST_ENTRIES);
        if (quantises) {
            StoredVectors.addQuantise(type);
        }
    }

    private boolean centred() {
        return tile.keys().map(KeyLayout::centred).orElse(false);
    }

    private List<PackedSide> sides() {
        List<PackedSide> sides = new ArrayList<>();
        tile.keys().ifPresent(keys -> sides.add(PackedSide.ofKeys(plan, keys)));
        tile.values().ifPresent(values -> sides.add(PackedSide.ofValues(plan, values)));
        return sides;
    }

    private void addScratch(TypeSpec.Builder type) {
        LaneSelectionWriter.addScratch(type, MOST_ENTRIES);
        ScratchField.add(
                type, short.class, "indices", MOST_ENTRIES + " * BLOCK_TOKENS", "The same in 16 bits.");
        if (gathers) {
            ScratchField.add(
                    type, int.class, "places", MOST_ENTRIES + " * BLOCK_TOKENS", "Where the kept entries are.");
            type.addField(
                    VectorKernelsWriter.vectorConstant("LANE_NUMBERS", "lane -> lane", "The numbers of the lanes."));
        }
        if (centred()) {
            ScratchField.add(
                    type,
                    float.class,
                    "means",
                    "HEAD_DIM",
                    "Means of the scaled keys over a tile, as they are stored.");
        }
        if (tile.hasAmplitudes()) {
            ScratchField.add(
                    type,
                    float.class,
                    "partialSums",
                    "4 * LANES",
                    "Sums of entries j with equal j % 4, a vector each.");
            ScratchField.add(type, float.class, "amplitudes", "BLOCK_TOKENS", "Amplitude of each lane.");
        }
    }

    private MethodSpec packKeys(PackedSide side) {
        KernelText body = side.text("int scale = head * HEAD_DIM;\n")
                .addIf(centred(), """
                    averageKeys(keys, scales, scale);
                    """)
                .addIf(centred(), StoredVectors.round(side.plainFormat(), "means", "HEAD_DIM"))
                .addIf(centred(), """
                    $store:L(means, 0, HEAD_DIM, cache, tile);
                    """)
                .add("""
                    for (int token = 0; token < TILE_TOKENS; token += BLOCK_TOKENS) {
                        long block = tile + KEY_BLOCKS + token / BLOCK_TOKENS * KEY_BLOCK_BYTES;
                    """)
                .addIf(side.signed(), """
                        long signs = tile + KEY_SIGNS + token / BLOCK_TOKENS * KEY_SIGN_BYTES;
                    """)
                .add("""
                        scaleKeys(keys, token * HEAD_DIM, scales, scale);
                    """)
                .add(pack(side, "entries, 0", "BLOCK_TOKENS").indent(4))
                .add("}\n");
        return KernelMethods.packKeys()
                .addJavadoc(
                        centred()
                                ? "Scaled keys k'_tj = k_tj * s_j, less the channel's mean over the tile, as it is"
                                        + " stored.\nA token keeps the channels with the largest |deviation|; of equal"
                                        + " ones, the lower first.\n"
                                : "Scaled keys k'_tj = k_tj * s_j.\n"
                                        + "A token keeps the channels with the largest |k'|; of equal ones, the lower"
                                        + " first.\n")
                .addCode(body.code())
                .build();
    }

    private MethodSpec packValues(PackedSide side) {
        boolean whole = PackedSide.wholeBlocks(tile);
        KernelText body = side.text("""
            for (int channel = 0; channel < HEAD_DIM; channel += BLOCK_CHANNELS) {
                long block = tile + VALUES + channel / BLOCK_CHANNELS * VALUE_BLOCK_BYTES;
            """)
                .addIf(side.signed(), """
                        long signs = tile + VALUES + VALUE_SIGNS + channel / BLOCK_CHANNELS * VALUE_SIGN_BYTES;
                    """)
                .addIf(!whole, """
                        int lanes = Math.min(BLOCK_CHANNELS, HEAD_DIM - channel);
                        if (lanes < BLOCK_CHANNELS) {
                            // Half a block: what is stored of the channels it lacks is zero.
                            Arrays.fill(keptEntries, 0);
                            Arrays.fill(keptNumbers, 0);
                    """)
                .addIf(!whole && side.signed(), """
                            Arrays.fill(amplitudes, 0);
                    """)
                .addIf(!whole, """
                        }
                        takeChannels(values, channel);
                    """)
                .add(pack(side, whole ? "values, channel" : "entries, 0", whole ? "BLOCK_CHANNELS" : "lanes")
                        .indent(4))
                .add("}\n");
        return KernelMethods.packValues()
                .addJavadoc("A channel keeps the tokens with the largest |value|; of equal ones, the earlier first.\n")
                .addCode(body.code())
                .build();
    }

    /** Calls the steps that pack a block. */
    private static String pack(PackedSide side, String from, String lanes) {
        return ("split$side:L(FROM" + (side.signed() ? ", cache, signs" : "") + ");\n" + """
            for (int lane = 0; lane < LANES_TO_PACK; lane += STEP) {
                select$side:L(lane);
            }
            for (int lane = 0; lane < LANES_TO_PACK; lane += LANES) {
                list$side:L(lane);
                gather$side:L(FROM, lane);
                drop$side:L(lane);
            """ + (side.signed() ? "    sumPruned$side:L(FROM, lane);\n" : "") + "}\n"
                        + (side.signed()
                                ? StoredVectors.round(side.plainFormat(), "amplitudes", "$lanes:L") + """
                                    $store:L(amplitudes, 0, $lanes:L, cache, signs + $constant:L_AMPLITUDES);
                                    subtractAmplitudes($kept:L);
                                    """
                                : "")
                        + StoredVectors.narrow(side)
                        + "store$side:L(cache, block);\n")
                .replace("LANES_TO_PACK", lanes)
                .replace("FROM", from);
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

    private MethodSpec scaleKeys() {
        boolean centred = centred();
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

    private static MethodSpec split(PackedSide side) {
        boolean signed = side.signed();
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
                            long place = signs + (word * $lanes:L + lane) * 2L;
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
        return method.addCode(body.code()).build();
    }

    private static MethodSpec sumPruned(PackedSide side) {
        boolean keys = side.slots().side().equals("KEY");
        String term = keys ? "#.mul(#)" : "#.abs()";
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
                    Amplitudes of the pruned $L.
                    Entry j is summed into partial sum j % 16, and those are added pairwise, as in the scalar class.
                    """, keys ? "channels: their root mean square" : "tokens: their mean magnitude")
                .addParameter(KernelMethods.FLOATS, "from")
                .addParameter(int.class, "first")
                .addParameter(int.class, "lane")
                .addCode(body.with("pruned", keys ? "PRUNED_CHANNELS" : "PRUNED_TOKENS")
                        .with("root", keys ? ".sqrt()" : "")
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

    private static MethodSpec storeSlots(PackedSide side) {
        String index = side.slots().indexAddress("place", "lane");
        String indices = "ShortVector.fromArray(SHORTS, indices, at)";
        return KernelMethods.step("store" + side.name())
                .addJavadoc("Stores the slots of a block.\n")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "block")
                .addCode(side.text("""
                    for (int i = 0; i < $kept:L * $lanes:L; i += LANES) {
                        ((ShortVector) IntVector.fromArray(INTS, keptNumbers, i).convertShape(I2S, HALF_SHORTS, 0))
                                .intoArray(indices, i);
                    }
                    for (int slot = 0; slot < $kept:L; slot++) {
                    """)
                        .add(side.slots().place().indent(4))
                        .add("""
                                for (int lane = 0; lane < $lanes:L; lane += STEP) {
                                    int at = slot * $lanes:L + lane;
                            """)
                        .add(StoredVectors.storeResiduals(side).indent(8))
                        .add((side.block().indexBytes() == 1
                                        ? StoredVectors.bytes(indices, index)
                                        : indices + ".intoMemorySegment(cache, " + index + ", LITTLE_ENDIAN);\n")
                                .indent(8))
                        .add("    }\n}\n")
                        .code())
                .build();
    }
}
