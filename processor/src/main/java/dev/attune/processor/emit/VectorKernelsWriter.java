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
        this.signedKeys = plan.layout().keys().map(keys -> keys.signed()).orElse(false);
        this.signedValues =
                plan.layout().values().map(values -> values.signed()).orElse(false);
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
        new VectorPackWriter(plan).addTo(type);
        type.addMethod(attend());
        type.addMethod(readAhead());
        type.addMethod(prepareQueries());
        if (signedKeys || signedValues) {
            SignSumText.addTo(type, plan.backend().vectorBits());
        }
        new KeyScoreWriter(plan, keyNumbers).addTo(type);
        new SoftmaxWriter(plan, valueNumbers).addTo(type);
        new ValueSumWriter(plan, valueNumbers).addTo(type);
        type.addMethod(writeOutput());
        plan.layout().values().ifPresent(values -> LayoutConstants.addFirstSlot(type, values));
        return type.build();
    }

    private void addSpecies(TypeSpec.Builder type) {
        int bits = plan.backend().vectorBits();
        species(type, "FLOATS", Float.class, KernelText.FLOAT_VECTOR, bits);
        species(type, "INTS", Integer.class, KernelText.INT_VECTOR, bits);
        species(type, "SHORTS", Short.class, KernelText.SHORT_VECTOR, bits);
        if (packedValues
                || plan.layout().keys().map(keys -> keys.indexBytes() == 1 || keys.quantised()).orElse(false)) {
            species(type, "BYTES", Byte.class, KernelText.BYTE_VECTOR, bits / 2);
        }
        constant(type, "LANES", Integer.toString(plan.lanes()), "Floats of a vector.");
        constant(
                type,
                "STEP",
                "2 * LANES",
                "Tokens or channels of one step: two vectors of floats, one of 16-bit integers.");
        constant(
                type,
                "CHUNK_TILES",
                Integer.toString(plan.chunkTiles()),
                "Tiles scored before their softmax and value sum.");
        constant(type, "CHUNK_TOKENS", "CHUNK_TILES * TILE_TOKENS", "Tokens of a chunk.");
        if (packedKeys) {
            int registers = keyNumbers.registers(plan.layout().headDim(), plan.lanes());
            constant(
                    type,
                    "TABLE_ENTRIES",
                    Integer.toString(registers * keyNumbers.entriesPerRegister(plan.lanes())),
                    "Entries of one query's lookup table: its channels, rounded up to whole pairs of registers.");
        }
        if (keyNumbers.tableType() == short.class) {
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
        type.addField(FieldSpec.builder(scalarKernels(), "scalar", Modifier.PRIVATE, Modifier.FINAL)
                .addJavadoc("What need not be fast: channel scores, dense tiles, unpacking.")
                .initializer("new $T()", scalarKernels())
                .build());
        ScratchField.add(
                type,
                float.class,
                "plainQueries",
                "GROUP_SIZE * HEAD_DIM",
                "Queries over the square root of the head dimension, for dense keys.");
        if (packedKeys) {
            ScratchField.add(
                    type,
                    float.class,
                    "scaledQueries",
                    "GROUP_SIZE * PADDED_CHANNELS",
                    "The same, over the channel scales: for packed keys.");
            ScratchField.add(
                    type,
                    keyNumbers.tableType(),
                    "queryTables",
                    "GROUP_SIZE * TABLE_ENTRIES",
                    "The scaled queries in the format of the kept channels.");
        }
        if (signedKeys) {
            ScratchField.add(
                    type,
                    short.class,
                    "querySigns",
                    "GROUP_SIZE * HEAD_DIM / 4 * SIGNED",
                    "Signed sums of every 4 channels of a scaled query, in units of querySteps.");
            ScratchField.add(type, float.class, "querySteps", "GROUP_SIZE", "Unit of querySigns.");
        }
        ScratchField.add(
                type,
                float.class,
                "weights",
                "GROUP_SIZE * CHUNK_TOKENS",
                "One chunk's scores, then its softmax weights.");
        if (packedValues && valueNumbers.tableType() == short.class) {
            ScratchField.add(
                    type,
                    short.class,
                    "weightTables",
                    "GROUP_SIZE * CHUNK_TOKENS",
                    "The weights in the format of the kept tokens.");
        }
        if (signedValues) {
            ScratchField.add(type, float.class, "tileSums", "GROUP_SIZE * CHUNK_TILES", "Sum of each tile's weights.");
            ScratchField.add(
                    type,
                    short.class,
                    "weightSigns",
                    "GROUP_SIZE * TILE_TOKENS / 4 * SIGNED",
                    "Signed sums of every 4 weights of a tile, in units of weightSteps.");
            ScratchField.add(type, float.class, "weightSteps", "GROUP_SIZE", "Unit of weightSigns.");
        }
        if (signedKeys || signedValues) {
            ScratchField.add(
                    type,
                    int.class,
                    "fixed",
                    "Math.max(HEAD_DIM, TILE_TOKENS)",
                    "Numbers in fixed point, on their way into a table of signed sums.");
        }
        type.addField(FieldSpec.builder(int.class, "lastRead", Modifier.PRIVATE)
                .addJavadoc("What readAhead came across.")
                .build());
        ScratchField.add(type, float.class, "maxima", "GROUP_SIZE", "Largest score so far.");
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
        if (!VectorPackWriter.packsKeys(plan)) {
            delegate(type, KernelMethods.packKeys(), "packKeys(head, keys, scales, cache, tile)");
        }
        if (!VectorPackWriter.packsValues(plan)) {
            delegate(type, KernelMethods.packValues(), "packValues(values, cache, tile)");
        }
        delegate(type, KernelMethods.unpackKeys(), "unpackKeys(head, cache, tile, scales, keys)");
        delegate(type, KernelMethods.unpackValues(), "unpackValues(cache, tile, values)");
        delegate(type, KernelMethods.storeDense(), "storeDense(key, value, offset, cache, tile, token)");
        delegate(type, KernelMethods.loadDense(), "loadDense(cache, tile, keys, values)");
    }

    private static void delegate(TypeSpec.Builder type, MethodSpec.Builder method, String call) {
        type.addMethod(method.addStatement("scalar.$L", call).build());
    }

    private MethodSpec attend() {
        KernelText body = KernelText.of("""
            prepareQueries(head, queries, scales);
            Arrays.fill(maxima, Float.NEGATIVE_INFINITY);
            Arrays.fill(sums, 0);
            Arrays.fill(sumsOfValues, 0);
            for (int done = 0; done < packedTokens; done += CHUNK_TOKENS) {
                int tokens = Math.min(CHUNK_TOKENS, packedTokens - done);
                int count = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
                long chunk = tile + (long) (done / TILE_TOKENS) * TILE_BYTES;
                readAhead(cache, chunk, count * TILE_BYTES);
            """)
                .add(indented(
                        packedKeys
                                ? Pass.calls(plan, "scoreKept", "cache, chunk, count")
                                        + (signedKeys ? Pass.calls(plan, "scoreSigns", "cache, chunk, count") : "")
                                        + (centredKeys ? "scoreMeans(cache, chunk, count);\n" : "")
                                : Pass.calls(plan, "scoreDense", "cache, chunk, TILE_BYTES, count")))
                .add("    softmax(tokens);\n")
                .add(indented(
                        packedValues
                                ? sumPacked()
                                : Pass.calls(plan, "sumDense", "cache, chunk + VALUES, TILE_BYTES, count")))
                .add("""
                    }
                    for (int done = 0; done < denseTokens; done += CHUNK_TOKENS) {
                        int tokens = Math.min(CHUNK_TOKENS, denseTokens - done);
                        int count = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
                        long chunk = dense + (long) (done / TILE_TOKENS) * DENSE_TILE_BYTES;
                        readAhead(cache, chunk, count * DENSE_TILE_BYTES);
                    """)
                .add(indented(Pass.calls(plan, "scoreDense", "cache, chunk, DENSE_TILE_BYTES, count")))
                .add("    softmax(tokens);\n")
                .add(indented(Pass.calls(plan, "sumDense", "cache, chunk + DENSE_VALUES, DENSE_TILE_BYTES, count")))
                .add("}\nwriteOutput(head, output, logSumExp);\n");
        return KernelMethods.attend().addCode(body.code()).build();
    }

    private String sumPacked() {
        return (valueNumbers.tableType() == short.class ? "roundWeights(count);\n" : "")
                + Pass.calls(plan, "sumKept", "cache, chunk + VALUES, count")
                + (signedValues ? Pass.calls(plan, "sumSigns", "cache, chunk + VALUES, count") : "");
    }

    private static String indented(String text) {
        return text.indent(4);
    }

    private static MethodSpec readAhead() {
        return KernelMethods.step("readAhead")
                .addJavadoc("""
                    Reads a chunk once, in order, before the kernels read it piecemeal: memory serves one sequential stream far
                    faster than several interleaved ones, and the chunk then stays in the second-level cache.
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
            float scale = (float) (1 / Math.sqrt(HEAD_DIM));
            for (int g = 0; g < GROUP_SIZE; g++) {
            """);
        if (signedKeys) {
            body.add("    float range = 0;\n");
        }
        body.add("""
                for (int channel = 0; channel < HEAD_DIM; channel++) {
                    float plain = queries[(head * GROUP_SIZE + g) * HEAD_DIM + channel] * scale;
                    plainQueries[g * HEAD_DIM + channel] = plain;
            """);
        if (packedKeys) {
            body.add("""
                        float scaled = plain / scales[head * HEAD_DIM + channel];
                        scaledQueries[g * PADDED_CHANNELS + channel] = scaled;
                """);
            body.add(keyNumbers.tableType() == short.class ? """
                        int bits = Float.floatToRawIntBits(scaled);
                        queryTables[g * TABLE_ENTRIES + channel] = (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
                """ : """
                            queryTables[g * TABLE_ENTRIES + channel] = scaled;
                    """);
        }
        if (signedKeys) {
            body.add("        range += Math.abs(scaled);\n    }\n")
                    .add("    querySteps[g] = toFixedPoint(scaledQueries, g * PADDED_CHANNELS, HEAD_DIM, range);\n")
                    .add("    tabulateSigns(HEAD_DIM / 4, querySigns, g * (HEAD_DIM / 4) * SIGNED);\n}\n");
        } else {
            body.add("    }\n}\n");
        }
        return KernelMethods.step("prepareQueries")
                .addJavadoc(
                        packedKeys
                                ? "Folds the softmax scale 1 / sqrt(d) and the channel scales into the queries, u_j ="
                                        + " q_j / (s_j * sqrt(d)), and\n"
                                        + "makes their lookup tables.\n"
                                : "Folds the softmax scale 1 / sqrt(d) into the queries.\n")
                .addParameter(int.class, "head")
                .addParameter(KernelMethods.FLOATS, "queries")
                .addParameter(KernelMethods.FLOATS, "scales")
                .addCode(body.code())
                .build();
    }

    private MethodSpec writeOutput() {
        return KernelMethods.step("writeOutput")
                .addParameter(int.class, "head")
                .addParameter(KernelMethods.FLOATS, "output")
                .addParameter(KernelMethods.FLOATS, "logSumExp")
                .addCode(KernelText.of("""
                    for (int g = 0; g < GROUP_SIZE; g++) {
                        int query = head * GROUP_SIZE + g;
                        logSumExp[query] = (float) (maxima[g] + Math.log(sums[g]));
                        float scale = sums[g] > 0 ? (float) (1 / sums[g]) : 0;
                        for (int channel = 0; channel < HEAD_DIM; channel++) {
                            int place = $place:L;
                            output[query * HEAD_DIM + channel] = scale * sumsOfValues[g * PADDED_CHANNELS + place];
                        }
                    }
                    """).with("place", valueNumbers.place()).code())
                .build();
    }

    private ClassName scalarKernels() {
        return ClassName.get(plan.model().packageName(), plan.model().kernelsName(Backend.SCALAR));
    }

    private static void species(TypeSpec.Builder type, String name, Class<?> element, ClassName vector, int bits) {
        type.addField(FieldSpec.builder(
                        ParameterizedTypeName.get(KernelText.VECTOR_SPECIES, ClassName.get(element)),
                        name,
                        Modifier.PRIVATE,
                        Modifier.STATIC,
                        Modifier.FINAL)
                .initializer("$T.SPECIES_$L", vector, bits)
                .build());
    }

    private static void constant(TypeSpec.Builder type, String name, String value, String meaning) {
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
