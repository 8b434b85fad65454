package dev.attune.processor.plan;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The bytes of one tile: 64 consecutive tokens of one key-value head. A packed tile holds keys, then values, each
 * pruned or dense as the specification says; a dense tile holds both dense. Dense keys are {@code [2][d][32]} (tokens
 * in lanes), dense values {@code [channels / 32][64][32]} (channels in lanes, padded to a multiple of 32). The format
 * is little-endian and the same for every backend.
 *
 * @param headDim channels of one head, {@code d}
 * @param channels {@code d} rounded up to a multiple of 32
 * @param keyNumberBytes bytes of one number of a dense key
 * @param valueNumberBytes bytes of one number of a dense value
 * @param keys the packed keys; empty when they are dense
 * @param values the packed values; empty when they are dense
 */
public record TileLayout(
        int headDim,
        int channels,
        int keyNumberBytes,
        int valueNumberBytes,
        Optional<KeyLayout> keys,
        Optional<ValueLayout> values) {

    /** The version of the format, raised whenever bytes move. */
    public static final int VERSION = 2;

    /** Tokens of a tile. */
    public static final int TILE_TOKENS = 64;

    /** Key blocks of a tile. */
    public static final int BLOCKS = TILE_TOKENS / BlockLayout.LANES;

    private static final int ALIGNMENT = 64;

    /** Lays out the tiles of a specification. */
    public static TileLayout of(AttentionModel model) {
        return new TileLayout(
                model.headDim(),
                paddedChannels(model.headDim()),
                bytes(model.keys().plainFormat()),
                bytes(model.values().plainFormat()),
                model.keys().dense() ? Optional.empty() : Optional.of(KeyLayout.of(model.keys(), model.headDim())),
                model.values().dense()
                        ? Optional.empty()
                        : Optional.of(ValueLayout.of(model.values(), model.headDim())));
    }

    static int paddedChannels(int headDim) {
        return (headDim + BlockLayout.LANES - 1) / BlockLayout.LANES * BlockLayout.LANES;
    }

    /** Returns the bytes of one number that is not quantised. */
    static int bytes(NumberFormat format) {
        return format.bits() / Byte.SIZE;
    }

    /** Returns the bytes of a tile's keys when they are dense. */
    public int denseKeyBytes() {
        return TILE_TOKENS * headDim * keyNumberBytes;
    }

    /** Returns the bytes of a tile's values when they are dense. */
    public int denseValueBytes() {
        return TILE_TOKENS * channels * valueNumberBytes;
    }

    /** Returns the offset of the values within a packed tile. */
    public int valueOffset() {
        return aligned(keys.map(KeyLayout::bytes).orElse(denseKeyBytes()));
    }

    /** Returns the bytes of one packed tile. */
    public int tileBytes() {
        return aligned(valueOffset() + values.map(ValueLayout::bytes).orElse(denseValueBytes()));
    }

    /** Returns the bytes of one dense tile. */
    public int denseTileBytes() {
        return aligned(denseKeyBytes() + denseValueBytes());
    }

    /** Returns whether signs and amplitudes are stored for at least one side. */
    public boolean hasAmplitudes() {
        return signedKeys() || signedValues();
    }

    /** Returns whether keys are packed and their signs stored. */
    public boolean signedKeys() {
        return keys.map(layout -> layout.block().signed()).orElse(false);
    }

    /** Returns whether values are packed and their signs stored. */
    public boolean signedValues() {
        return values.map(layout -> layout.block().signed()).orElse(false);
    }

    /** Returns the sizes of what a packed tile holds; they add up to {@link #tileBytes()}. */
    public List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        keys.ifPresentOrElse(
                layout -> {
                    add(parts, "key means", layout.blocks());
                    add(parts, "key", BLOCKS, layout.block());
                },
                () -> add(parts, "keys", denseKeyBytes()));
        values.ifPresentOrElse(
                layout -> add(parts, "value", layout.blocks(), layout.block()),
                () -> add(parts, "values", denseValueBytes()));
        add(parts, "padding", tileBytes() - parts.stream().mapToInt(Part::bytes).sum());
        return List.copyOf(parts);
    }

    private static void add(List<Part> parts, String side, int blocks, BlockLayout block) {
        add(parts, side + " residuals", blocks * block.residualBytes());
        add(parts, side + " indices", blocks * block.indexBytesOfBlock());
        add(parts, side + " residual scales", blocks * block.residualScaleBytes());
        add(parts, side + " signs", blocks * block.signWordBytes());
        add(parts, side + " amplitudes", blocks * block.amplitudeBytes());
    }

    private static void add(List<Part> parts, String name, int bytes) {
        if (bytes > 0) {
            parts.add(new Part(name, bytes));
        }
    }

    private static int aligned(int bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /**
     * One part of a packed tile.
     *
     * @param name what it holds
     * @param bytes its size
     */
    public record Part(String name, int bytes) {}
}
