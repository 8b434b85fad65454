package dev.attune.processor.plan;

import dev.attune.processor.model.AttentionModel;
import java.util.Optional;

/**
 * The bytes of a tile in the memory of an OpenCL device. They hold the numbers of a {@link TileLayout}, to the bit, in
 * another order: 32 lanes read a tile together, and every lane owns a few of its columns.
 *
 * <p>Of keys the columns are tokens; lane {@code l} owns tokens {@code l} and {@code l + 32}. Of values they are
 * channels, in groups of {@code 32 c}; of group {@code g} lane {@code l} owns channels {@code 32 c g + l + 32 k} for
 * {@code k} below {@code c = valueColumns}. Slots are stored in a {@link LaneStream}, in which slot {@code s} of a
 * lane's column {@code k} is element {@code s * columns + k}; amplitudes in lane order, in which that of column
 * {@code k} is number {@code l * columns + k} (of a group).
 *
 * @param channels {@code d} rounded up to a multiple of 32, {@code D}
 * @param keys the packed keys; empty when they are dense
 * @param values the packed values; empty when they are dense
 * @param denseKeys the channels of a lane's dense keys
 * @param denseValues the tokens of a lane's dense values, for each group
 * @param valueColumns channels of a group that a lane owns, {@code c}
 * @param denseValueOffset offset of the values in a dense tile
 * @param valueOffset offset of the values in a packed tile
 * @param tileBytes bytes of a packed tile, a multiple of 128
 * @param denseTileBytes bytes of a dense tile, a multiple of 128
 */
public record DeviceLayout(
        int channels,
        Optional<Keys> keys,
        Optional<Values> values,
        LaneStream denseKeys,
        LaneStream denseValues,
        int valueColumns,
        int denseValueOffset,
        int valueOffset,
        int tileBytes,
        int denseTileBytes) {

    /** Tokens whose keys a lane owns. */
    public static final int KEY_COLUMNS = TileLayout.TILE_TOKENS / LaneStream.LANES;

    private static final int ALIGNMENT = 128;

    /**
     * Packed keys.
     *
     * @param centred whether means are stored
     * @param signed whether signs and amplitudes are stored
     * @param quantised whether residuals are integers under a scale, which is then stored
     * @param slots the residuals of a lane; of 4-bit ones two consecutive slots of a column share an element
     * @param channels the channels of those residuals
     * @param means offset of {@code [D]} numbers
     * @param residuals offset of the stream of residuals
     * @param indices offset of the stream of channels
     * @param signs offset of words {@code [64][D / 32]}; bit {@code b} of word {@code w} is channel {@code 32 w + b}
     * @param amplitudes offset of {@code [64]} numbers in lane order
     * @param residualScales offset of {@code [64]} numbers in lane order
     * @param bytes bytes of all
     */
    public record Keys(
            boolean centred,
            boolean signed,
            boolean quantised,
            LaneStream slots,
            LaneStream channels,
            int means,
            int residuals,
            int indices,
            int signs,
            int amplitudes,
            int residualScales,
            int bytes) {}

    /**
     * Packed values; offsets count from the values' own.
     *
     * @param signed whether signs and amplitudes are stored
     * @param quantised whether residuals are integers under a scale, which is then stored
     * @param slots the residuals of a lane, for each group; of 4-bit ones two slots share an element
     * @param tokens the tokens of those residuals, for each group
     * @param residuals offset of the streams of residuals
     * @param indices offset of the streams of tokens
     * @param signs offset of words {@code [D][2]}; bit {@code b} of word {@code w} is token {@code 16 w + b % 16 +
     *     b / 16 * 32}
     * @param amplitudes offset of {@code [D]} numbers in lane order
     * @param residualScales offset of {@code [D]} numbers in lane order
     * @param bytes bytes of all
     */
    public record Values(
            boolean signed,
            boolean quantised,
            LaneStream slots,
            LaneStream tokens,
            int residuals,
            int indices,
            int signs,
            int amplitudes,
            int residualScales,
            int bytes) {}

    /** Lays out the tiles of a specification. */
    static DeviceLayout of(AttentionModel model, TileLayout tile) {
        int channels = tile.channels();
        int columns = channels % 128 == 0 ? 4 : channels % 64 == 0 ? 2 : 1;
        LaneStream denseKeys = new LaneStream(KEY_COLUMNS * model.headDim(), tile.keyNumberBytes());
        LaneStream denseValues = new LaneStream(columns * TileLayout.TILE_TOKENS, tile.valueNumberBytes());
        int denseValueBytes = channels / columns / LaneStream.LANES * denseValues.bytes();
        Optional<Keys> keys = tile.keys().map(layout -> keys(layout, channels));
        Optional<Values> values = tile.values().map(layout -> values(layout.block(), channels, columns));
        int valueOffset = aligned(keys.map(Keys::bytes).orElse(denseKeys.bytes()));
        return new DeviceLayout(
                channels,
                keys,
                values,
                denseKeys,
                denseValues,
                columns,
                denseKeys.bytes(),
                valueOffset,
                aligned(valueOffset + values.map(Values::bytes).orElse(denseValueBytes)),
                aligned(denseKeys.bytes() + denseValueBytes));
    }

    private static Keys keys(KeyLayout keys, int channels) {
        BlockLayout layout = keys.block();
        LaneStream slots = slots(KEY_COLUMNS, layout);
        LaneStream indices = new LaneStream(KEY_COLUMNS * layout.kept(), layout.indexBytes());
        int afterMeans = keys.centred() ? channels * layout.numberBytes() : 0;
        int afterResiduals = afterMeans + slots.bytes();
        int afterIndices = afterResiduals + indices.bytes();
        int afterSigns = afterIndices + (layout.signed() ? TileLayout.TILE_TOKENS * channels / Byte.SIZE : 0);
        int afterAmplitudes = afterSigns + (layout.signed() ? TileLayout.TILE_TOKENS * layout.numberBytes() : 0);
        int end = afterAmplitudes + (layout.quantised() ? TileLayout.TILE_TOKENS * layout.numberBytes() : 0);
        return new Keys(
                keys.centred(),
                layout.signed(),
                layout.quantised(),
                slots,
                indices,
                0,
                afterMeans,
                afterResiduals,
                afterIndices,
                afterSigns,
                afterAmplitudes,
                end);
    }

    private static LaneStream slots(int columns, BlockLayout layout) {
        int rows = (layout.kept() + layout.slotsPerRow() - 1) / layout.slotsPerRow();
        return new LaneStream(columns * rows, layout.residualBits() * layout.slotsPerRow() / Byte.SIZE);
    }

    private static Values values(BlockLayout layout, int channels, int columns) {
        LaneStream slots = slots(columns, layout);
        LaneStream tokens = new LaneStream(columns * layout.kept(), 1);
        int groups = channels / columns / LaneStream.LANES;
        int afterResiduals = groups * slots.bytes();
        int afterIndices = afterResiduals + groups * tokens.bytes();
        int afterSigns = afterIndices + (layout.signed() ? TileLayout.TILE_TOKENS * channels / Byte.SIZE : 0);
        int afterAmplitudes = afterSigns + (layout.signed() ? channels * layout.numberBytes() : 0);
        return new Values(
                layout.signed(),
                layout.quantised(),
                slots,
                tokens,
                0,
                afterResiduals,
                afterIndices,
                afterSigns,
                afterAmplitudes,
                afterAmplitudes + (layout.quantised() ? channels * layout.numberBytes() : 0));
    }

    /** Returns how many groups of channels the values have. */
    public int valueGroups() {
        return channels / valueColumns / LaneStream.LANES;
    }

    private static int aligned(int bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
