package dev.attune.bench.gpu;

import dev.attune.annotations.Backend;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/** Times decode steps of caches whose heads are shared out among devices, from the host's call to its result. */
final class SharedOut {

    private static final String DEVICES_PROPERTY = "attune.opencl.device";

    private static final int STEPS = 200;

    private SharedOut() {}

    /** Returns all devices that are like the preferred one. */
    static List<OpenClDevice> alike() {
        OpenClDevices devices = OpenClDevices.find();
        String name = devices.preferred().name();
        return devices.usable().stream().filter(device -> device.name().equals(name)).toList();
    }

    /**
     * Times the steps of caches of the same prompt on the first device, and on the first two, four and so on; they take
     * turns.
     *
     * @param counts numbers of devices
     * @param tokens tokens of the prompt, a multiple of 64
     * @return microseconds, the median, for each number of devices
     */
    static double[] endToEndMicros(KernelProvider provider, List<Integer> counts, int tokens) {
        LayerShape shape = provider.shape();
        List<KeyValueCache> caches = new ArrayList<>();
        String before = System.getProperty(DEVICES_PROPERTY);
        try (Arena arena = Arena.ofShared()) {
            long row = (long) tokens * shape.headDim() * Float.BYTES;
            MemorySegment keys = arena.allocate(shape.keyValueHeads() * row, Float.BYTES);
            MemorySegment values = arena.allocate(shape.keyValueHeads() * row, Float.BYTES);
            for (int head = 0; head < shape.keyValueHeads(); head++) {
                for (int tile = 0; tile < tokens / 64; tile++) {
                    Workload.copy(head, tile, keys, values, head * row + tile * 64L * shape.headDim() * Float.BYTES);
                }
            }
            Random random = new Random(1);
            float[] window = Workload.numbers(random, shape.queryHeads() * 8 * shape.headDim());
            MemorySegment windowQueries = MemorySegment.ofArray(window);
            for (int count : counts) {
                System.setProperty(
                        DEVICES_PROPERTY,
                        alike().stream()
                                .limit(count)
                                .map(device -> Integer.toString(device.index()))
                                .collect(Collectors.joining(",")));
                KeyValueCache cache = Attune.kernels(provider, Backend.OPENCL).newCache(tokens, 64);
                caches.add(cache);
                cache.prefill(keys, values, windowQueries);
            }
            return timed(caches, Workload.numbers(random, shape.queryHeads() * shape.headDim()));
        } finally {
            caches.forEach(KeyValueCache::close);
            if (before == null) {
                System.clearProperty(DEVICES_PROPERTY);
            } else {
                System.setProperty(DEVICES_PROPERTY, before);
            }
        }
    }

    private static double[] timed(List<KeyValueCache> caches, float[] queries) {
        double[][] micros = new double[caches.size()][STEPS];
        float[] output = new float[queries.length];
        for (int step = -GpuBenchmark.WARM_UPS; step < STEPS; step++) {
            for (int i = 0; i < caches.size(); i++) {
                long start = System.nanoTime();
                caches.get(i).attend(queries, output);
                if (step >= 0) {
                    micros[i][step] = (System.nanoTime() - start) / 1e3;
                }
            }
        }
        return Arrays.stream(micros)
                .mapToDouble(times -> Arrays.stream(times).sorted().toArray()[STEPS / 2])
                .toArray();
    }
}
