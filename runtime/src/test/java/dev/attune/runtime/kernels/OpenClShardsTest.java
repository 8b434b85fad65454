package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.attune.processor.model.AttentionModel;
import dev.attune.runtime.opencl.DeviceShard;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClTestDevice;
import dev.attune.runtime.spi.KernelProvider;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Steps shared out among devices, as far as one device can tell: two programs on it have a context and a queue each, as
 * programs on two devices have.
 */
class OpenClShardsTest {

    private static final int GROUP = 2;
    private static final int HEAD_DIM = 64;
    private static final int TILES = 2;
    private static final int DENSE = 5;
    private static final int[] HEADS = {2, 1};
    private static final int NUMBERS = 3 * GROUP * HEAD_DIM;

    private final Random random = new Random(1);
    private LayerProgram[] programs;
    private List<DeviceShard> shards;

    @BeforeEach
    void fill() {
        OpenClDevice device = OpenClTestDevice.require();
        AttentionModel model = Specifications.deviceLayer("Shards", 3, GROUP, HEAD_DIM);
        KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
        programs = new LayerProgram[HEADS.length];
        Arrays.setAll(programs, i -> LayerProgram.build(
                device, provider.shape(), provider.layout(), provider.openCl().orElseThrow()));
        shards = List.of(shard(0), shard(1));
    }

    private DeviceShard shard(int index) {
        int heads = HEADS[index];
        DeviceShard shard = new DeviceShard(programs[index], heads, TILES, 1);
        shard.writeScales(filled(heads * HEAD_DIM, 1), 0);
        shard.pack(TILES, (head, tile, keys, values, offset) -> {
            MemorySegment.copy(numbers(64 * HEAD_DIM), 0, keys, ValueLayout.JAVA_FLOAT, offset, 64 * HEAD_DIM);
            MemorySegment.copy(numbers(64 * HEAD_DIM), 0, values, ValueLayout.JAVA_FLOAT, offset, 64 * HEAD_DIM);
        });
        for (int token = 0; token < DENSE; token++) {
            shard.storeDense(numbers(heads * HEAD_DIM), numbers(heads * HEAD_DIM), 0, 0, token);
        }
        return shard;
    }

    @AfterEach
    void close() {
        if (shards != null) {
            shards.forEach(DeviceShard::close);
            Arrays.stream(programs).forEach(LayerProgram::close);
        }
    }

    @Test
    void aSharedStepGivesWhatEveryShardGivesAlone() {
        float[] queries = numbers(NUMBERS);
        float[] output = new float[NUMBERS];
        float[] sums = new float[3 * GROUP];
        DeviceShard.attend(shards, queries, TILES * 64, DENSE, output, sums);
        int first = 0;
        for (int i = 0; i < shards.size(); i++) {
            int next = first + HEADS[i] * GROUP;
            float[] own = Arrays.copyOfRange(queries, first * HEAD_DIM, next * HEAD_DIM);
            float[] ownSums = new float[next - first];
            shards.get(i).attend(own, TILES * 64, DENSE, own, ownSums);
            assertArrayEquals(Arrays.copyOfRange(output, first * HEAD_DIM, next * HEAD_DIM), own);
            assertArrayEquals(Arrays.copyOfRange(sums, first, next), ownSums);
            first = next;
        }
        float[] inPlace = queries.clone();
        DeviceShard.attend(shards, inPlace, TILES * 64, DENSE, inPlace, null);
        assertArrayEquals(output, inPlace);
    }

    @Test
    void timesAreTakenOfEveryLaunchOfASharedStep() {
        for (LayerProgram program : programs) {
            program.program().takeTimes(true);
        }
        float[] queries = numbers(NUMBERS);
        for (int step = 1; step <= 3; step++) {
            DeviceShard.attend(shards, queries, TILES * 64, DENSE, new float[NUMBERS], null);
        }
        for (LayerProgram program : programs) {
            assertEquals(program.isFused() ? 3 : 6, program.program().launchNanos().length);
        }
    }

    @Test
    void aStepThatFailsOnOneDeviceWritesNothingAndLeavesTheOthersUsable() {
        float[] queries = numbers(HEADS[0] * GROUP * HEAD_DIM);
        float[] before = new float[queries.length];
        shards.getFirst().attend(queries, TILES * 64, DENSE, before, null);

        shards.getLast().close();
        float[] output = filled(NUMBERS, Float.NaN);
        float[] sums = filled(3 * GROUP, Float.NaN);
        assertThrows(
                IllegalStateException.class,
                () -> DeviceShard.attend(shards, numbers(NUMBERS), TILES * 64, DENSE, output, sums));
        assertArrayEquals(filled(NUMBERS, Float.NaN), output);
        assertArrayEquals(filled(3 * GROUP, Float.NaN), sums);

        float[] after = new float[queries.length];
        shards.getFirst().attend(queries, TILES * 64, DENSE, after, null);
        assertArrayEquals(before, after);
    }

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    private static float[] filled(int count, float number) {
        float[] numbers = new float[count];
        Arrays.fill(numbers, number);
        return numbers;
    }
}
