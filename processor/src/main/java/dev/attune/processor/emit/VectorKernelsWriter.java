package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.Backend;
import dev.attune.processor.plan.KernelPlan;
import javax.lang.model.element.Modifier;

/** Writes the class of one vector width: its fields, its kernels, and the decode step that ties them together. */
final class VectorKernelsWriter {

    private final KernelPlan plan;
    private final PairText keyNumbers;
    private final PairText valueNumbers;
    private final boolean packedKeys;
    private final boolean packedValues;
    private final boolean signedKeys;
    private final boolean signedValues;
    private final boolean centredKeys;

    VectorKernelsWriter(KernelPlan plan) {
        this.plan = plan;
        this.keyNumbers = PairText.of(plan.model().keys().plainFormat());
        this.valueNumbers = PairText.of(plan.model().values().plainFormat());
        this.packedKeys = plan.layout().keys().isPresent();
        this.packedValues = plan.layout().values().isPresent();
        this.signedKeys = plan.layout().signedKeys();
        this.signedValues = plan.layout().signedValues();
        this.centredKeys = plan.layout().keys().map(keys -> keys.centred()).orElse(false);
    }

    TypeSpec write() {
        TypeSpec.Builder type = TypeSpec.classBuilder(plan.className())
                .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
                .addSuperinterface(GeneratedTypes.ATTENTION_KERNELS)
                .addJavadoc(ClassDocumentation.vector(plan));
        LayoutConstants.add(type, plan);
        addSpecies(type);
        addScratch(type);
        type.addMethod(KernelMethods.backend(plan.backend()));
        addDelegates(type);
        if (plan.isDefault()) {
            new VectorPackWriter(plan).addTo(type);
        }
        SoftmaxWriter softmax = new SoftmaxWriter(plan, valueNumbers);
        type.addMethod(attend());
        if (plan.gathers()) {
            new RowTilesWriter(plan, valueNumbers).addTo(type);
        }
        new PackedTilesWriter(plan).addTo(type);
        type.addMethod(attendDense());
        if (plan.readAheadTiles() > 0) {
            type.addMethod(readAhead());
        }
        type.addMethod(prepareQueries());
        if (signedKeys && !plan.gathers()) {
            SignSumText.addQueryTables(type, plan.backend().vectorBits());
        }
        new KeyScoreWriter(plan, keyNumbers).addTo(type);
        softmax.addTo(type);
        new LaneSumText(plan).addTo(type);
        new ValueSumWriter(plan, valueNumbers, softmax.tabulates()).addTo(type);
        type.addMethod(writeOutput());
        type.addMethod(writeSums());
        return type.build();
    }

    private void addSpecies(TypeSpec.Builder type) {
        int bits = plan.backend().vectorBits();
        species(type, "FLOATS", Float.class, KernelText.FLOAT_VECTOR, bits);
        species(type, "INTS", Integer.class, KernelText.INT_VECTOR, bits);
        species(type, "SHORTS", Short.class, KernelText.SHORT_VECTOR, bits);
        species(type, "HALF_SHORTS", Short.class, KernelText.SHORT_VECTOR, bits / 2);
        if (packedValues
                || plan.gathers()
                || plan.layout()
                        .keys()
                        .map(keys -> keys.block().indexBytes() == 1 || keys.block().quantised())
                        .orElse(false)) {
            species(type, "BYTES", Byte.class, KernelText.BYTE_VECTOR, bits / 2);
        }
        constant(type, "LANES", Integer.toString(plan.lanes()), "Floats of a vector.");
        constant(
                type,
                "STEP",
                "2 * LANES",
                "Tokens or channels of one step: two vectors of floats, one of 16-bit integers.");
        if (plan.streams() > 1) {
            constant(
                    type,
                    "STREAMS",
                    Integer.toString(plan.streams()),
                    "Tiles that are read at once, each from another part of the cache.");
        }
        if (plan.readAheadTiles() > 0) {
            constant(
                    type,
                    "READ_AHEAD_TILES",
                    Integer.toString(plan.readAheadTiles()),
                    "Tiles that are read ahead of the kernels.");
        }
        if (packedKeys && !plan.gathers()) {
            int registers = keyNumbers.registers(plan.layout().headDim(), plan.lanes());
            constant(
                    type,
                    "TABLE_ENTRIES",
                    Integer.toString(registers * keyNumbers.entriesPerRegister(plan.lanes())),
                    "Entries of one query's lookup table: its channels, rounded up to whole pairs of registers.");
        }
        if (!plan.gathers()) {
            type.addField(vectorConstant(
                    "LOWER_OF_PAIRS",
                    "lane -> lane / 2 + lane % 2 * LANES",
                    "Interleaves the lower halves of two vectors."));
            type.addField(vectorConstant(
                    "UPPER_OF_PAIRS",
                    "lane -> LANES / 2 + lane / 2 + lane % 2 * LANES",
                    "Interleaves the upper halves of two vectors."));
        }
    }

    private void addScratch(TypeSpec.Builder type) {
        String rows = plan.streams() == 1 ? "GROUP_SIZE" : "GROUP_SIZE * STREAMS";
        ClassName others = otherKernels();
        type.addField(FieldSpec.builder(others, others(), Modifier.PRIVATE, Modifier.FINAL)
                .addJavadoc(
                        plan.isDefault()
                                ? "What need not be fast: channel scores, single tokens, unpacking."
                                : "What does not depend on how tokens are decoded.")
                .initializer("new $T()", others)
                .build());
        ScratchField.add(
                type,
                float.class,
                "plainQueries",
                "GROUP_SIZE * HEAD_DIM",
                "Queries over the square root of the head dimension and in units of log 2, for dense keys.");
        if (packedKeys) {
            ScratchField.add(
                    type,
                    float.class,
                    "scaledQueries",
                    "GROUP_SIZE * PADDED_CHANNELS",
                    "The same, over the channel scales: for packed keys.");
        }
        if (packedKeys && !plan.gathers()) {
            ScratchField.add(
                    type,
                    keyNumbers.tableType(),
                    "queryTables",
                    "GROUP_SIZE * TABLE_ENTRIES",
                    "The scaled queries in the format of the kept channels.");
        }
        if (signedKeys && !plan.gathers()) {
            ScratchField.add(
                    type,
                    short.class,
                    "querySigns",
                    "GROUP_SIZE * HEAD_DIM / 4 * 16",
                    "Signed sums of every 4 channels of a scaled query, in units of querySteps.");
            ScratchField.add(type, float.class, "querySteps", "GROUP_SIZE", "Unit of querySigns.");
            ScratchField.add(
                    type,
                    int.class,
                    "fixed",
                    "HEAD_DIM",
                    "A query in fixed point, on its way into tables of signed sums.");
        }
        ScratchField.add(
                type,
                float.class,
                "weights",
                rows + " * TILE_TOKENS",
                "Scores of the tiles at hand, then their softmax weights.");
        ScratchField.add(type, float.class, "tileSums", rows, "Sums of each tile's weights.");
        ScratchField.add(
                type,
                int.class,
                "tokens",
                plan.streams() == 1 ? "1" : "STREAMS",
                "How many tokens of the tiles at hand count.");
        if (packedValues && !plan.gathers() && valueNumbers.tableType() == short.class) {
            ScratchField.add(
                    type,
                    short.class,
                    "weightTables",
                    rows + " * TILE_TOKENS",
                    "The weights in bfloat16, for the lookup of kept tokens.");
        }
        if (signedValues && !plan.gathers()) {
            ScratchField.add(
                    type,
                    short.class,
                    "weightSigns",
                    rows + " * TILE_TOKENS / 4 * 16",
                    "Signed sums of every 4 weights of a tile, in units of weightSteps.");
            ScratchField.add(type, float.class, "weightSteps", rows, "Unit of weightSigns.");
        }
        if (centredKeys) {
            ScratchField.add(
                    type, float.class, "meanScores", rows, "What the channel means add to every score of a tile.");
        }
        if (plan.readAheadTiles() > 0) {
            type.addField(FieldSpec.builder(int.class, "lastRead", Modifier.PRIVATE)
                    .addJavadoc("What readAhead came across.")
                    .build());
        }
        ScratchField.add(type, float.class, "maxima", "GROUP_SIZE", "Largest score so far, in units of log 2.");
        ScratchField.add(
                type,
                double.class,
                "sums",
                "GROUP_SIZE",
                "Sum of the softmax weights so far, relative to the largest score.");
        ScratchField.add(
                type,
                float.class,
                "sumsOfValues",
                "GROUP_SIZE * PADDED_CHANNELS",
                "Weighted sum of the values so far, channels in the order of the vectors.");
    }

    private void addDelegates(TypeSpec.Builder type) {
        delegate(type, KernelMethods.scoreChannels(), "scoreChannels(head, windowQueries, positions, scales)");
        if (!plan.isDefault()) {
            delegate(type, KernelMethods.packKeys(), "packKeys(head, keys, scales, cache, tile)");
            delegate(type, KernelMethods.packValues(), "packValues(values, cache, tile)");
            delegate(type, KernelMethods.loadDense(), "loadDense(cache, tile, keys, values)");
        }
        delegate(type, KernelMethods.unpackKeys(), "unpackKeys(head, cache, tile, scales, keys)");
        delegate(type, KernelMethods.unpackValues(), "unpackValues(cache, tile, values)");
        delegate(type, KernelMethods.storeDense(), "storeDense(key, value, offset, cache, tile, token)");
    }

    private void delegate(TypeSpec.Builder type, MethodSpec.Builder method, String call) {
        type.addMethod(method.addStatement("$L.$L", others(), call).build());
    }

    /** Returns the field of the kernels that do what is not written here. */
    private String others() {
        return plan.isDefault() ? "scalar" : "packing";
    }

    private MethodSpec attend() {
        boolean sumRows = plan.gathers() && packedValues;
        return KernelMethods.attend()
                .addCode(KernelText.of(PackedTilesWriter.withTables(plan, """
                    prepareQueries(head, queries, scales);
                    Arrays.fill(maxima, Float.NEGATIVE_INFINITY);
                    Arrays.fill(sums, 0);
                    Arrays.fill(sumsOfValues, 0);
                    """
                                + (sumRows ? "Arrays.fill(sumRows, 0);\n" : "")
                                + "attendPacked(cache, tile, packedTokens);\n"
                                + (sumRows ? "addSumRows();\n" : "")
                                + """
                                attendDense(cache, dense, denseTokens);
                                writeOutput(head, output, logSumExp);
                                """))
                        .code())
                .build();
    }

    private MethodSpec attendDense() {
        KernelText body = KernelText.of("""
            int tiles = (count + TILE_TOKENS - 1) / TILE_TOKENS;
            for (int tile = 0; tile < tiles; tile++) {
                long at = first + (long) tile * DENSE_TILE_BYTES;
            """)
                .addIf(plan.readAheadTiles() > 0, """
                        if (tile % READ_AHEAD_TILES == 0) {
                            readAhead(cache, at, Math.min(READ_AHEAD_TILES, tiles - tile) * DENSE_TILE_BYTES);
                        }
                    """)
                .add("    tokens[0] = Math.min(TILE_TOKENS, count - tile * TILE_TOKENS);\n")
                .add((Pass.calls(plan, 1, "scoreDense", "cache, at")
                                + (plan.streams() == 1 ? "softmax();\n" : "softmax(1);\n")
                                + Pass.calls(plan, 1, "sumDense", "cache, at + DENSE_VALUES"))
                        .indent(4))
                .add("}\n");
        return KernelMethods.step("attendDense")
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "first")
                .addParameter(int.class, "count")
                .addCode(body.code())
                .build();
    }

    private static MethodSpec readAhead() {
        return KernelMethods.step("readAhead")
                .addJavadoc("""
                    Reads tiles once, in order and at once, before the kernels do, between whose reads there is much \
                    to compute:
                    more of them are then on their way from memory together. The tiles stay in the second-level cache.
                    """)
                .addParameter(KernelMethods.cache())
                .addParameter(long.class, "from")
                .addParameter(int.class, "bytes")
                .addCode(KernelText.of("""
                    IntVector read = IntVector.zero(INTS);
                    for (int line = 0; line < bytes; line += 64) {
                        read = read.or(IntVector.fromMemorySegment(INTS, cache, from + line, LITTLE_ENDIAN));
                    }
                    // Kept, so that the loop is not optimised away.
                    lastRead = read.lane(0);
                    """).code())
                .build();
    }

    private MethodSpec prepareQueries() {
        KernelText body = KernelText.of("""
            float scale = (float) (1 / (Math.sqrt(HEAD_DIM) * Math.log(2)));
            for (int g = 0; g < GROUP_SIZE; g++) {
                int query = (head * GROUP_SIZE + g) * HEAD_DIM;
            """)
                .addIf(signedKeys && !plan.gathers(), "    FloatVector range = FloatVector.zero(FLOATS);\n")
                .add("""
                        for (int channel = 0; channel < HEAD_DIM; channel += LANES) {
                            FloatVector plain = FloatVector.fromArray(FLOATS, queries, query + channel).mul(scale);
                            plain.intoArray(plainQueries, g * HEAD_DIM + channel);
                    """)
                .addIf(packedKeys, """
                    FloatVector scaled = plain.div(FloatVector.fromArray(FLOATS, scales, head * HEAD_DIM + channel));
                    scaled.intoArray(scaledQueries, g * PADDED_CHANNELS + channel);
            """)
                .addIf(signedKeys && !plan.gathers(), "        range = range.add(scaled.abs());\n")
                .add("    }\n");
        if (packedKeys && !plan.gathers()) {
            body.add(keyNumbers.tableType() == short.class ? """
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        int bits = Float.floatToRawIntBits(scaledQueries[g * PADDED_CHANNELS + channel]);
                        queryTables[g * TABLE_ENTRIES + channel] = (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
                    }
                """ : """
                    System.arraycopy(scaledQueries, g * PADDED_CHANNELS, queryTables, g * TABLE_ENTRIES, HEAD_DIM);
                """);
        }
        LaneSumText sum = new LaneSumText(plan);
        body.addIf(signedKeys && !plan.gathers(), sum.prepare("range").indent(4));
        body.addIf(signedKeys && !plan.gathers(), """
                querySteps[g] = toFixedPoint(g * PADDED_CHANNELS, $sum:L);
                tabulateSigns(g * (HEAD_DIM / 4) * 16);
            """).add("}\n").addIf(packedKeys && plan.gathers(), "tabulateQueries();\n")
                .with("sum", sum.of("range"));
        return KernelMethods.step("prepareQueries")
                .addJavadoc(
                        packedKeys
                                ? "Folds the softmax scale 1 / sqrt(d) and the channel scales into the queries, u_j ="
                                        + " q_j / (s_j * sqrt(d)), and\n"
                                        + "makes their lookup tables. All in units of log 2: weights are powers of 2.\n"
                                : "Folds the softmax scale 1 / sqrt(d) into the queries, in units of log 2: weights are"
                                        + " powers of 2.\n")
                .addParameter(int.class, "head")
                .addParameter(KernelMethods.FLOATS, "queries")
                .addParameter(KernelMethods.FLOATS, "scales")
                .addCode(body.code())
                .build();
    }

    private static MethodSpec writeOutput() {
        return KernelMethods.step("writeOutput")
                .addParameter(int.class, "head")
                .addParameter(KernelMethods.FLOATS, "output")
                .addParameter(KernelMethods.FLOATS, "logSumExp")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int query = head * GROUP_SIZE + g;
                        logSumExp[query] = (float) (maxima[g] * Math.log(2) + Math.log(sums[g]));
                        writeSums(g, sums[g] > 0 ? (float) (1 / sums[g]) : 0, output, query * HEAD_DIM);
                    }
                    """).code())
                .build();
    }

    private MethodSpec writeSums() {
        return KernelMethods.step("writeSums")
                .addJavadoc("Writes the value sums of a query head, times a scale, in the order of the channels.\n")
                .addParameter(int.class, "g")
                .addParameter(float.class, "scale")
                .addParameter(KernelMethods.FLOATS, "output")
                .addParameter(int.class, "to")
                .addCode(KernelText.of("""
                    for (int channel = 0; channel < HEAD_DIM; channel++) {
                        int place = $place:L;
                        output[to + channel] = scale * sumsOfValues[g * PADDED_CHANNELS + place];
                    }
                    """).with("place", valueNumbers.place()).code())
                .build();
    }

    private ClassName otherKernels() {
        Backend backend = plan.isDefault() ? Backend.SCALAR : plan.backend();
        return ClassName.get(plan.model().packageName(), plan.model().kernelsName(backend));
    }

    static void species(TypeSpec.Builder type, String name, Class<?> element, ClassName vector, int bits) {
        type.addField(FieldSpec.builder(
                        ParameterizedTypeName.get(KernelText.VECTOR_SPECIES, ClassName.get(element)),
                        name,
                        Modifier.PRIVATE,
                        Modifier.STATIC,
                        Modifier.FINAL)
                .initializer("$T.SPECIES_$L", vector, bits)
                .build());
    }

    static void constant(TypeSpec.Builder type, String name, String value, String meaning) {
        type.addField(FieldSpec.builder(int.class, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer(value)
                .build());
    }

    static FieldSpec vectorConstant(String name, String lanes, String meaning) {
        return FieldSpec.builder(KernelText.INT_VECTOR, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer(CodeBlock.of(
                        "$T.fromArray(\n        INTS, $T.range(0, LANES).map($L).toArray(), 0)",
                        KernelText.INT_VECTOR,
                        ClassName.get("java.util.stream", "IntStream"),
                        lanes))
                .build();
    }
}
