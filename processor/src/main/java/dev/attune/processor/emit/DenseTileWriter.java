package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;

/** Writes whole tiles of dense keys and values, and reading them back, on vectors. */
final class DenseTileWriter {

    private final KernelPlan plan;
    private final TileLayout tile;
    private final NumberFormat keyFormat;
    private final NumberFormat valueFormat;

    DenseTileWriter(KernelPlan plan) {
        this.plan = plan;
        this.tile = plan.layout();
        this.keyFormat = plan.model().keys().plainFormat();
        this.valueFormat = plan.model().values().plainFormat();
    }

    void addTo(TypeSpec.Builder type) {
        if (tile.keys().isEmpty()) {
            type.addMethod(packKeys());
            type.addMethod(tokensToLanes());
        }
        if (tile.values().isEmpty()) {
            type.addMethod(packValues());
        }
        type.addMethod(loadDense());
        type.addMethod(channelsToLanes());
    }

    private MethodSpec packKeys() {
        return KernelMethods.packKeys()
                .addJavadoc("Keys are dense: nothing is pruned.\n")
                .addCode(KernelText.of("""
                    for (int token = 0; token < TILE_TOKENS; token += BLOCK_TOKENS) {
                        tokensToLanes(keys, token * HEAD_DIM);
                        long block = tile + token * (long) HEAD_DIM * $bytes:L;
                        $store:L(entries, 0, HEAD_DIM * BLOCK_TOKENS, cache, block);
                    }
                    """).numbers(keyFormat).code())
                .build();
    }

    private MethodSpec packValues() {
        return KernelMethods.packValues()
                .addJavadoc("Values are dense: nothing is pruned.\n")
                .addCode(rows("$store:L(values, token * HEAD_DIM, %s, cache, row);\n", "tile + VALUES")
                        .numbers(valueFormat)
                        .code())
                .build();
    }

    private MethodSpec loadDense() {
        KernelText keys = KernelText.of("""
            for (int token = 0; token < TILE_TOKENS; token += BLOCK_TOKENS) {
                long block = tile + token * (long) HEAD_DIM * $bytes:L;
                $load:L(cache, block, entries, 0, HEAD_DIM * BLOCK_TOKENS);
                channelsToLanes(keys, token * HEAD_DIM);
            }
            """).numbers(keyFormat);
        KernelText values = rows("$load:L(cache, row, values, token * HEAD_DIM, %s);\n", "tile + DENSE_VALUES")
                .numbers(valueFormat);
        return KernelMethods.loadDense()
                .addCode(keys.code())
                .addCode(values.code())
                .build();
    }

    /** Handles rows of values one by one, or many at once where no padding parts them. */
    private KernelText rows(String statement, String first) {
        boolean padded = tile.channels() != tile.headDim();
        return KernelText.of("for (int token = 0; token < TILE_TOKENS; token += %s) {\n"
                        .formatted(padded ? "1" : "BLOCK_TOKENS"))
                .add("    long row = %s + token * (long) PADDED_CHANNELS * $bytes:L;\n".formatted(first))
                .add(statement.formatted(padded ? "HEAD_DIM" : "HEAD_DIM * BLOCK_TOKENS").indent(4))
                .add("}\n");
    }

    private MethodSpec tokensToLanes() {
        return transpose(
                "tokensToLanes", "Puts the tokens of a block of keys into lanes.", "keys, key", "HEAD_DIM", "entries, entry", "BLOCK_TOKENS");
    }

    private MethodSpec channelsToLanes() {
        return transpose(
                "channelsToLanes", "Takes the tokens of a block of keys out of the lanes.", "entries, entry", "BLOCK_TOKENS", "keys, key", "HEAD_DIM");
    }

    private MethodSpec transpose(
            String name, String meaning, String from, String fromStride, String to, String toStride) {
        String square = TransposeText.square(
                plan.lanes(),
                row -> "FloatVector.fromArray(FLOATS, %s%s)\n        .reinterpretAsInts()"
                        .formatted(from, TransposeText.rows(row, fromStride)),
                column -> "column.reinterpretAsFloats().intoArray(%s%s)"
                        .formatted(to, TransposeText.rows(column, toStride)));
        return KernelMethods.step(name)
                .addJavadoc(meaning + "\n")
                .addParameter(KernelMethods.FLOATS, "keys")
                .addParameter(int.class, "first")
                .addCode(KernelText.of("""
                    for (int channel = 0; channel < HEAD_DIM; channel += LANES) {
                        for (int lane = 0; lane < BLOCK_TOKENS; lane += LANES) {
                            int key = first + lane * HEAD_DIM + channel;
                            int entry = channel * BLOCK_TOKENS + lane;
                    """)
                        .add(square.indent(8))
                        .add("    }\n}\n")
                        .code())
                .build();
    }
}
