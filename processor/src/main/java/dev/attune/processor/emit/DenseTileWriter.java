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
        if (tile.values().isEmpty() || !PackedSide.wholeBlocks(tile)) {
            type.addMethod(takeChannels());
        }
        type.addMethod(loadDense());
        type.addMethod(tokensOutOfLanes());
        type.addMethod(putChannels());
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
                .addCode(KernelText.of("""
                    for (int channel = 0; channel < HEAD_DIM; channel += BLOCK_CHANNELS) {
                        takeChannels(values, channel);
                        long block = tile + VALUES + channel * (long) TILE_TOKENS * $bytes:L;
                        $store:L(entries, 0, TILE_TOKENS * BLOCK_CHANNELS, cache, block);
                    }
                    """).numbers(valueFormat).code())
                .build();
    }

    private MethodSpec takeChannels() {
        return KernelMethods.step("takeChannels")
                .addJavadoc("Takes a block of channels out of the values of a tile.\n")
                .addParameter(KernelMethods.FLOATS, "values")
                .addParameter(int.class, "channel")
                .addCode(KernelText.of("")
                        .addIf(!PackedSide.wholeBlocks(tile), """
                            // What would be the other channels of half a block is zero.
                            Arrays.fill(entries, 0);
                            """)
                        .code())
                .addCode(eachOfBlock("""
                    FloatVector.fromArray(FLOATS, values, token * HEAD_DIM + channel + lane)
                            .intoArray(entries, token * BLOCK_CHANNELS + lane);
                    """).code())
                .build();
    }

    private MethodSpec loadDense() {
        return KernelMethods.loadDense()
                .addCode(KernelText.of("""
                    for (int token = 0; token < TILE_TOKENS; token += BLOCK_TOKENS) {
                        long block = tile + token * (long) HEAD_DIM * $bytes:L;
                        $load:L(cache, block, entries, 0, HEAD_DIM * BLOCK_TOKENS);
                        tokensOutOfLanes(keys, token * HEAD_DIM);
                    }
                    """).numbers(keyFormat).code())
                .addCode(KernelText.of("""
                    for (int channel = 0; channel < HEAD_DIM; channel += BLOCK_CHANNELS) {
                        long block = tile + DENSE_VALUES + channel * (long) TILE_TOKENS * $bytes:L;
                        $load:L(cache, block, entries, 0, TILE_TOKENS * BLOCK_CHANNELS);
                        putChannels(values, channel);
                    }
                    """).numbers(valueFormat).code())
                .build();
    }

    private MethodSpec putChannels() {
        return KernelMethods.step("putChannels")
                .addJavadoc("Puts a block of channels back among the values of a tile.\n")
                .addParameter(KernelMethods.FLOATS, "values")
                .addParameter(int.class, "channel")
                .addCode(eachOfBlock("""
                    FloatVector.fromArray(FLOATS, entries, token * BLOCK_CHANNELS + lane)
                            .intoArray(values, token * HEAD_DIM + channel + lane);
                    """).code())
                .build();
    }

    /** Does something for every token and the lanes that a block of channels has. */
    private KernelText eachOfBlock(String statement) {
        boolean whole = PackedSide.wholeBlocks(tile);
        return KernelText.of(whole ? "" : "int lanes = Math.min(BLOCK_CHANNELS, HEAD_DIM - channel);\n")
                .add("for (int token = 0; token < TILE_TOKENS; token++) {\n")
                .add("    for (int lane = 0; lane < $laneCount:L; lane += LANES) {\n")
                .with("laneCount", whole ? "BLOCK_CHANNELS" : "lanes")
                .add(statement.indent(8))
                .add("    }\n}\n");
    }

    private MethodSpec tokensToLanes() {
        return transpose(
                "tokensToLanes",
                "Puts the tokens of a block of keys into lanes.",
                "keys, key",
                "HEAD_DIM",
                "entries, entry",
                "BLOCK_TOKENS");
    }

    private MethodSpec tokensOutOfLanes() {
        return transpose(
                "tokensOutOfLanes",
                "Takes the tokens of a block of keys out of the lanes.",
                "entries, entry",
                "BLOCK_TOKENS",
                "keys, key",
                "HEAD_DIM");
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
