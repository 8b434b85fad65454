package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.ChannelWeight;
import dev.attune.annotations.NumberFormat;
import dev.attune.annotations.Restoration;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Decodes tiles from their bytes with nothing but {@code docs/packed-format.md} at hand, and compares with the kernels'
 * own unpacking, to the bit. The arithmetic of offsets here is the document's, and is not shared with any other code.
 */
class PackedFormatTest {

    private static final int TILE = 64;

    /** The tile is not at the start of its segment, and what surrounds it is no zero. */
    private static final int TILE_OFFSET = 192;

    /** Bytes for indices and no padding; padding; indices of two bytes and padding. */
    private static final int[] HEAD_DIMS = {128, 112, 272};

    @Test
    void packedTilesReadAsDocumented() {
        List<AttentionModel> models = new ArrayList<>();
        for (int headDim : HEAD_DIMS) {
            for (NumberFormat format : NumberFormat.values()) {
                models.add(packed(headDim, format, Centering.TILE, Restoration.SIGN));
            }
        }
        // What leaves parts out, where the head dimension has most to do with offsets.
        for (NumberFormat format : NumberFormat.values()) {
            models.add(packed(272, format, Centering.TILE, Restoration.NONE));
            models.add(packed(272, format, Centering.NONE, Restoration.SIGN));
            models.add(packed(272, format, Centering.NONE, Restoration.NONE));
        }
        CompiledSpecifications compiled = CompiledSpecifications.of(models);
        for (AttentionModel model : models) {
            checkPackedTile(model, compiled.provider(model));
        }
    }

    private static AttentionModel packed(
            int headDim, NumberFormat format, Centering centering, Restoration restoration) {
        return model(
                "Packed%d%s%s%s".formatted(headDim, format, centering, restoration),
                2,
                headDim,
                pruned(0.8, restoration, centering, format),
                pruned(0.7, restoration, Centering.NONE, format));
    }

    @Test
    void aSideThatIsNotPrunedReadsAsDocumented() {
        List<AttentionModel> models = new ArrayList<>();
        for (int headDim : HEAD_DIMS) {
            // One side in each format: the number formats of keys and values are independent.
            models.add(model(
                    "DenseValues" + headDim,
                    1,
                    headDim,
                    pruned(0.9, Restoration.SIGN, Centering.TILE, NumberFormat.BFLOAT16),
                    Specifications.dense(NumberFormat.FLOAT32)));
            models.add(model(
                    "DenseKeys" + headDim,
                    1,
                    headDim,
                    Specifications.dense(NumberFormat.FLOAT32),
                    pruned(0.5, Restoration.SIGN, Centering.NONE, NumberFormat.BFLOAT16)));
        }
        CompiledSpecifications compiled = CompiledSpecifications.of(models);
        for (AttentionModel model : models) {
            checkPackedTile(model, compiled.provider(model));
        }
    }

    @Test
    void denseTilesReadAsDocumented() {
        List<AttentionModel> models = new ArrayList<>();
        for (int headDim : HEAD_DIMS) {
            for (NumberFormat format :
                    new NumberFormat[] {NumberFormat.FLOAT32, NumberFormat.BFLOAT16, NumberFormat.FLOAT16}) {
                models.add(model(
                        "Dense%d%s".formatted(headDim, format),
                        1,
                        headDim,
                        Specifications.dense(format),
                        Specifications.dense(NumberFormat.BFLOAT16)));
            }
            // The tokens that a specification with integers keeps dense are no integers.
            models.add(model(
                    "Dense%dIntegers".formatted(headDim),
                    1,
                    headDim,
                    pruned(0.8, Restoration.SIGN, Centering.TILE, NumberFormat.INT8),
                    pruned(0.8, Restoration.SIGN, Centering.NONE, NumberFormat.INT4)));
        }
        CompiledSpecifications compiled = CompiledSpecifications.of(models);
        for (AttentionModel model : models) {
            checkDenseTile(model, compiled.provider(model));
        }
    }

    @Test
    void theWorkedSizesAreThoseOfTheLayout() {
        AttentionModel high = worked("High", 0.8, NumberFormat.BFLOAT16);
        AttentionModel half = worked("Half", 0.5, NumberFormat.BFLOAT16);
        AttentionModel bytes = worked("Bytes", 0.8, NumberFormat.INT8);
        AttentionModel nibbles = worked("Nibbles", 0.8, NumberFormat.INT4);
        CompiledSpecifications compiled = CompiledSpecifications.of(List.of(high, half, bytes, nibbles));
        CacheLayout highLayout = compiled.provider(high).layout();
        assertEquals(2, highLayout.version());
        assertEquals(12672, highLayout.tileBytes());
        assertEquals(32768, highLayout.denseTileBytes());
        assertEquals(
                List.of(256, 3328, 1664, 1024, 128, 3328, 1664, 1024, 256),
                highLayout.parts().stream().map(CacheLayout.Part::bytes).toList());
        CacheLayout halfLayout = compiled.provider(half).layout();
        assertEquals(27264, halfLayout.tileBytes());
        assertEquals(32768, halfLayout.denseTileBytes());
        assertEquals(
                List.of(256, 8192, 4096, 1024, 128, 8192, 4096, 1024, 256),
                halfLayout.parts().stream().map(CacheLayout.Part::bytes).toList());
        CacheLayout bytesLayout = compiled.provider(bytes).layout();
        assertEquals(9728, bytesLayout.tileBytes());
        assertEquals(32768, bytesLayout.denseTileBytes());
        assertEquals(
                List.of(256, 1664, 1664, 128, 1024, 128, 1664, 1664, 256, 1024, 256),
                bytesLayout.parts().stream().map(CacheLayout.Part::bytes).toList());
        CacheLayout nibblesLayout = compiled.provider(nibbles).layout();
        assertEquals(8128, nibblesLayout.tileBytes());
        assertEquals(32768, nibblesLayout.denseTileBytes());
        assertEquals(
                List.of(256, 832, 1664, 128, 1024, 128, 896, 1664, 256, 1024, 256),
                nibblesLayout.parts().stream().map(CacheLayout.Part::bytes).toList());
    }

    private static AttentionModel worked(String name, double ratio, NumberFormat format) {
        return model(
                name,
                1,
                128,
                pruned(ratio, Restoration.SIGN, Centering.TILE, format),
                pruned(ratio, Restoration.SIGN, Centering.NONE, format));
    }

    /** Plain Java kernels alone: every backend packs the same bytes, which {@link KernelGridTest} checks. */
    private static AttentionModel model(String name, int group, int headDim, PruningModel keys, PruningModel values) {
        return Specifications.model(name, group, headDim, keys, values, List.of());
    }

    private static PruningModel pruned(
            double ratio, Restoration restoration, Centering centering, NumberFormat format) {
        return new PruningModel(ratio, restoration, ChannelWeight.MEAN, centering, format);
    }

    private static void checkPackedTile(AttentionModel model, KernelProvider provider) {
        int headDim = model.headDim();
        AttentionKernels kernels = provider.create(Backend.SCALAR);
        Random random = new Random(7);
        Tokens tokens = Tokens.random(random, TILE, headDim);
        float[] scales = scales(random, headDim);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cache = surroundings(arena, provider.layout().tileBytes());
            kernels.packKeys(0, tokens.keys(), scales, cache, TILE_OFFSET);
            kernels.packValues(tokens.values(), cache, TILE_OFFSET);
            float[] keys = new float[TILE * headDim];
            float[] values = new float[TILE * headDim];
            kernels.unpackKeys(0, cache, TILE_OFFSET, scales, keys);
            kernels.unpackValues(cache, TILE_OFFSET, values);

            ByteBuffer tile = tile(cache, provider.layout().tileBytes());
            String what = model.specificationName();
            int valueOffset = aligned(keyBytes(model));
            assertEquals(aligned(valueOffset + valueBytes(model)), tile.limit(), what + ": bytes of a tile");
            float[] readKeys = model.keys().dense()
                    ? denseKeys(tile, 0, headDim, model.keys().format())
                    : packedKeys(tile, headDim, model.keys(), scales);
            assertArrayEquals(keys, readKeys, what + ": keys");
            float[] readValues = model.values().dense()
                    ? denseValues(tile, valueOffset, headDim, model.values().format())
                    : packedValues(tile, valueOffset, headDim, model.values());
            assertArrayEquals(values, readValues, what + ": values");
        }
    }

    private static void checkDenseTile(AttentionModel model, KernelProvider provider) {
        int headDim = model.headDim();
        AttentionKernels kernels = provider.create(Backend.SCALAR);
        Tokens tokens = Tokens.random(new Random(8), TILE, headDim);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cache = surroundings(arena, provider.layout().denseTileBytes());
            for (int token = 0; token < TILE; token++) {
                kernels.storeDense(tokens.keys(), tokens.values(), token * headDim, cache, TILE_OFFSET, token);
            }
            float[] keys = new float[TILE * headDim];
            float[] values = new float[TILE * headDim];
            kernels.loadDense(cache, TILE_OFFSET, keys, values);

            ByteBuffer tile = tile(cache, provider.layout().denseTileBytes());
            String what = model.specificationName();
            int valueOffset = TILE * headDim * bytes(model.keys().format());
            int valueBytes = TILE * padded(headDim) * bytes(model.values().format());
            assertEquals(aligned(valueOffset + valueBytes), tile.limit(), what + ": bytes of a dense tile");
            assertArrayEquals(keys, denseKeys(tile, 0, headDim, model.keys().format()), what + ": keys");
            assertArrayEquals(
                    values,
                    denseValues(tile, valueOffset, headDim, model.values().format()),
                    what + ": values");
        }
    }

    /** "Packed keys", and "Decoding by hand". */
    private static float[] packedKeys(ByteBuffer tile, int headDim, PruningModel side, float[] scales) {
        boolean centred = side.centering() == Centering.TILE;
        int means = centred ? padded(headDim) * bytes(side.format()) : 0;
        int signs = means + 2 * keptBytes(side, headDim);
        float[] keys = new float[TILE * headDim];
        for (int token = 0; token < TILE; token++) {
            int kept = means + token / 32 * keptBytes(side, headDim);
            int words = signs + token / 32 * signBytes(side, headDim);
            for (int channel = 0; channel < headDim; channel++) {
                float key = entry(tile, side, headDim, kept, words, token % 32, channel);
                if (centred) {
                    key += number(tile, channel * bytes(side.format()), side.format());
                }
                keys[token * headDim + channel] = key / scales[channel];
            }
        }
        return keys;
    }

    /** "Packed values", and "Decoding by hand". */
    private static float[] packedValues(ByteBuffer tile, int start, int headDim, PruningModel side) {
        int signs = start + padded(headDim) / 32 * keptBytes(side, TILE);
        float[] values = new float[TILE * headDim];
        for (int channel = 0; channel < headDim; channel++) {
            int kept = start + channel / 32 * keptBytes(side, TILE);
            int words = signs + channel / 32 * signBytes(side, TILE);
            for (int token = 0; token < TILE; token++) {
                values[token * headDim + channel] = entry(tile, side, TILE, kept, words, channel % 32, token);
            }
        }
        return values;
    }

    /** "Block": what entry {@code j} of {@code n} in a lane stands for, before the mean. */
    private static float entry(ByteBuffer tile, PruningModel side, int n, int kept, int words, int lane, int j) {
        int number = bytes(side.format());
        float entry = 0;
        if (side.restoration() == Restoration.SIGN) {
            int word = tile.getShort(words + (j / 16 * 32 + lane) * 2);
            float amplitude = number(tile, words + n / 16 * 64 + lane * number, side.format());
            entry = (word >> j % 16 & 1) == 1 ? amplitude : -amplitude;
        }
        int slots = slots(side, n);
        float scale = quantised(side.format())
                ? number(tile, kept + keptBytes(side, n) - 32 * number + lane * number, NumberFormat.BFLOAT16)
                : 1;
        for (int slot = 0; slot < slots; slot++) {
            if (index(tile, side, n, kept, slot, lane) == j) {
                entry += scale * residual(tile, side, n, kept, slot, lane);
            }
        }
        return entry;
    }

    private static int index(ByteBuffer tile, PruningModel side, int n, int kept, int slot, int lane) {
        int bytes = indexBytes(n);
        int place = side.format() == NumberFormat.INT4
                ? kept + slot / 2 * (32 + 2 * 32 * bytes) + 32 + slot % 2 * 32 * bytes + lane * bytes
                : kept + slot * slotBytes(side, n) + slotBytes(side, n) - 32 * bytes + lane * bytes;
        return bytes == 1 ? Byte.toUnsignedInt(tile.get(place)) : Short.toUnsignedInt(tile.getShort(place));
    }

    /** The residual of a slot before its scale. */
    private static float residual(ByteBuffer tile, PruningModel side, int n, int kept, int slot, int lane) {
        int place = kept + slot * slotBytes(side, n);
        return switch (side.format()) {
            case FLOAT32, BFLOAT16, FLOAT16 -> number(tile, place + lane * bytes(side.format()), side.format());
            case INT8 -> tile.get(place + lane);
            case INT4 -> {
                int both = Byte.toUnsignedInt(tile.get(kept + slot / 2 * (32 + 2 * 32 * indexBytes(n)) + lane));
                int half = slot % 2 == 0 ? both % 16 : both / 16;
                yield half < 8 ? half : half - 16;
            }
        };
    }

    private static int slots(PruningModel side, int n) {
        return n - (int) Math.floor(side.ratio() * n);
    }

    private static int indexBytes(int n) {
        return n <= 256 ? 1 : 2;
    }

    /** Bytes of a slot of any format but {@code INT4}. */
    private static int slotBytes(PruningModel side, int n) {
        return 32 * residualBytes(1, side.format()) + 32 * indexBytes(n);
    }

    /** Bytes of a block's kept entries. */
    private static int keptBytes(PruningModel side, int n) {
        int slots = slots(side, n);
        return 32 * residualBytes(slots, side.format())
                + slots * 32 * indexBytes(n)
                + (quantised(side.format()) ? 32 * bytes(side.format()) : 0);
    }

    /** Bytes of a block's signs and amplitudes. */
    private static int signBytes(PruningModel side, int n) {
        return side.restoration() == Restoration.SIGN ? n / 16 * 64 + 32 * bytes(side.format()) : 0;
    }

    private static float[] denseKeys(ByteBuffer tile, int start, int headDim, NumberFormat format) {
        float[] keys = new float[TILE * headDim];
        for (int token = 0; token < TILE; token++) {
            for (int channel = 0; channel < headDim; channel++) {
                int place = (token / 32 * headDim + channel) * 32 + token % 32;
                keys[token * headDim + channel] = number(tile, start + place * bytes(format), format);
            }
        }
        return keys;
    }

    private static float[] denseValues(ByteBuffer tile, int start, int headDim, NumberFormat format) {
        float[] values = new float[TILE * headDim];
        for (int token = 0; token < TILE; token++) {
            for (int channel = 0; channel < headDim; channel++) {
                int place = (channel / 32 * TILE + token) * 32 + channel % 32;
                values[token * headDim + channel] = number(tile, start + place * bytes(format), format);
            }
        }
        return values;
    }

    private static int keyBytes(AttentionModel model) {
        int headDim = model.headDim();
        PruningModel side = model.keys();
        int number = bytes(side.format());
        if (side.dense()) {
            return TILE * headDim * number;
        }
        int means = side.centering() == Centering.TILE ? padded(headDim) * number : 0;
        return means + 2 * (keptBytes(side, headDim) + signBytes(side, headDim));
    }

    private static int valueBytes(AttentionModel model) {
        PruningModel side = model.values();
        int number = bytes(side.format());
        if (side.dense()) {
            return TILE * padded(model.headDim()) * number;
        }
        return padded(model.headDim()) / 32 * (keptBytes(side, TILE) + signBytes(side, TILE));
    }

    /** Any number but a residual: integers leave these to bfloat16. */
    private static float number(ByteBuffer tile, int offset, NumberFormat format) {
        return switch (format) {
            case FLOAT32 -> tile.getFloat(offset);
            case BFLOAT16, INT8, INT4 -> Float.intBitsToFloat(tile.getShort(offset) << 16);
            case FLOAT16 -> Float.float16ToFloat(tile.getShort(offset));
        };
    }

    private static int bytes(NumberFormat format) {
        return format == NumberFormat.FLOAT32 ? 4 : 2;
    }

    private static boolean quantised(NumberFormat format) {
        return format == NumberFormat.INT8 || format == NumberFormat.INT4;
    }

    /** Bytes that the residuals of one token, or of one value channel, take. */
    private static int residualBytes(int kept, NumberFormat format) {
        return switch (format) {
            case FLOAT32, BFLOAT16, FLOAT16 -> kept * bytes(format);
            case INT8 -> kept;
            case INT4 -> Math.ceilDiv(kept, 2);
        };
    }

    private static int padded(int headDim) {
        return Math.ceilDiv(headDim, 32) * 32;
    }

    private static int aligned(int bytes) {
        return Math.ceilDiv(bytes, 64) * 64;
    }

    private static float[] scales(Random random, int headDim) {
        float[] scales = new float[headDim];
        for (int channel = 0; channel < headDim; channel++) {
            scales[channel] = (float) Math.exp(random.nextGaussian());
        }
        return scales;
    }

    private static MemorySegment surroundings(Arena arena, int tileBytes) {
        return arena.allocate(TILE_OFFSET + tileBytes + 64L, 64).fill((byte) 0xA5);
    }

    private static ByteBuffer tile(MemorySegment cache, int tileBytes) {
        return cache.asSlice(TILE_OFFSET, tileBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
