package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Centering;
import dev.attune.annotations.NumberFormat;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.plan.DeviceLayout;
import dev.attune.processor.plan.LaneStream;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.runtime.opencl.ArrangedTiles;
import dev.attune.runtime.opencl.DeviceShard;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClTestDevice;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tiles arranged for look-ups are the same tiles, and 16 lanes find their numbers in different banks. */
class OpenClArrangementTest {

    private static final int TILES = 3;
    private static final int CHANNELS = 128;
    private static final int BANKS = 16;

    /** Accesses that 16 look-ups take in the mean, where one is the least and random indices take 2.7. */
    private static final double MOST_ACCESSES = 1.2;

    @ParameterizedTest
    @EnumSource(names = {"BFLOAT16", "INT8"})
    void arrangedTilesAreTheSameAndLookedUpWithoutConflicts(NumberFormat format) {
        AttentionModel model = Specifications.model(
                "Arranged" + format, 4, CHANNELS,
                Specifications.pruned(0.8, Centering.TILE, format),
                Specifications.pruned(0.8, Centering.NONE, format),
                List.of(Backend.OPENCL));
        KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
        OpenClDevice device = OpenClTestDevice.require();
        Random random = new Random(7);
        try (LayerProgram program = LayerProgram.build(
                        device, provider.shape(), provider.layout(), provider.openCl().orElseThrow());
                DeviceShard shard = new DeviceShard(program, 1, TILES, 1)) {
            shard.scoreChannels(gaussians(random, 4 * CHANNELS), 0, 1);
            shard.pack(TILES, (head, tile, keys, values, offset) -> {
                for (MemorySegment side : List.of(keys, values)) {
                    MemorySegment.copy(
                            gaussians(random, 64 * CHANNELS), 0, side, ValueLayout.JAVA_FLOAT, offset, 64 * CHANNELS);
                }
            });
            byte[] exported = exported(shard, provider);
            ArrangedTiles.arrange(shard, TILES);
            assertArrayEquals(exported, exported(shard, provider));

            byte[] bytes = ArrangedTiles.bytes(shard);
            DeviceLayout layout = OpenClPlan.of(model).device();
            DeviceLayout.Keys keys = layout.keys().orElseThrow();
            DeviceLayout.Values values = layout.values().orElseThrow();
            for (int tile = 0; tile < TILES; tile++) {
                int start = tile * layout.tileBytes();
                double ofKeys = accesses(bytes, start + keys.indices(), keys.channels());
                double ofValues = accesses(bytes, start + layout.valueOffset() + values.indices(), values.tokens());
                assertTrue(ofKeys <= MOST_ACCESSES, () -> "keys take " + ofKeys + " accesses");
                assertTrue(ofValues <= MOST_ACCESSES, () -> "values take " + ofValues + " accesses");
            }
        }
    }

    private static byte[] exported(DeviceShard shard, KernelProvider provider) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tiles = arena.allocate((long) TILES * provider.layout().tileBytes(), 64);
            shard.exportTiles(0, 0, TILES, tiles);
            return tiles.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Returns the mean of the most different indices that 16 neighbouring lanes look up in a bank. */
    private static double accesses(byte[] bytes, int start, LaneStream indices) {
        int sum = 0;
        int lookups = 0;
        for (int element = 0; element < indices.elements(); element++) {
            for (int first = 0; first < LaneStream.LANES; first += BANKS) {
                int most = 0;
                for (int bank = 0; bank < BANKS; bank++) {
                    long different = 0;
                    for (int lane = first; lane < first + BANKS; lane++) {
                        int index = bytes[start + place(indices, lane, element)] & 255;
                        if (index % BANKS == bank) {
                            different |= 1L << index / BANKS;
                        }
                    }
                    most = Math.max(most, Long.bitCount(different));
                }
                sum += most;
                lookups++;
            }
        }
        return (double) sum / lookups;
    }

    private static int place(LaneStream stream, int lane, int element) {
        for (LaneStream.Rows rows : stream.rows()) {
            if (element < rows.end()) {
                int row = rows.start() + (element - rows.start()) / rows.width() * rows.width();
                return LaneStream.LANES * row + lane * rows.width() + element - row;
            }
        }
        throw new IllegalArgumentException("no element " + element);
    }

    private static float[] gaussians(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
