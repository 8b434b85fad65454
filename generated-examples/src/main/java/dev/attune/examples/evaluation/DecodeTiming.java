package dev.attune.examples.evaluation;

import dev.attune.examples.linear.ParallelTasks;
import dev.attune.examples.llama.LlamaConfig;
import dev.attune.examples.llama.Prompt;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Times one decode step of one layer's attention, all heads, on one thread.
 *
 * <p>Every round times one step of each cache in turn, so that a slow moment of the machine hits all of them, and each
 * finds the processor's caches as a model leaves them: filled by something else. The median over the rounds is
 * reported.
 */
public final class DecodeTiming {

    /** The context lengths that are timed. */
    public static final List<Integer> CONTEXTS = List.of(1024, 4096, 16_384, 32_768);

    /** The context length of the table. */
    public static final int TABLE_CONTEXT = 4096;

    private static final int LEAST_ROUNDS = 15;

    private DecodeTiming() {}

    /**
     * What was measured of one cache at one context length.
     *
     * @param micros median of one decode step, in microseconds
     * @param bytesPerTokenPerHead what the cache takes, everything counted
     * @param compression how many times smaller that is than dense bfloat16
     */
    public record Sample(double micros, double bytesPerTokenPerHead, double compression) {}

    /**
     * Measures all caches at one context length.
     *
     * @param layer keys, values and queries of the model; repeated until the context is filled
     * @param kernels one per cache
     * @param warmUp how long to run before the first sample counts
     * @param measured how long to take samples
     * @return one sample per cache
     */
    public static List<Sample> measure(
            LlamaConfig config,
            Prompt.Layer layer,
            int context,
            List<LayerKernels> kernels,
            Duration warmUp,
            Duration measured) {
        float[] keys = repeated(layer.keys(), config, context);
        float[] values = repeated(layer.values(), config, context);
        List<KeyValueCache> caches = new ArrayList<>();
        try {
            for (LayerKernels each : kernels) {
                caches.add(each.withThreads(1).newCache(context, 0));
            }
            ParallelTasks.run(
                    caches.size(), cache -> caches.get(cache).prefill(keys, values, layer.windowQueries()));
            float[][] queries = queries(layer, config);
            rounds(caches, queries, warmUp);
            List<long[]> nanos = rounds(caches, queries, measured);
            List<Sample> samples = new ArrayList<>();
            for (int cache = 0; cache < caches.size(); cache++) {
                var statistics = caches.get(cache).statistics();
                samples.add(new Sample(
                        median(nanos, cache) / 1e3, statistics.bytesPerTokenPerHead(), statistics.compression()));
            }
            return samples;
        } finally {
            caches.forEach(KeyValueCache::close);
        }
    }

    /** Takes samples until the time is up; each is {@code [caches]}, in nanoseconds. */
    private static List<long[]> rounds(List<KeyValueCache> caches, float[][] queries, Duration duration) {
        float[] output = new float[queries[0].length];
        List<long[]> rounds = new ArrayList<>();
        long end = System.nanoTime() + duration.toNanos();
        while (System.nanoTime() < end || rounds.size() < LEAST_ROUNDS) {
            long[] nanos = new long[caches.size()];
            float[] query = queries[rounds.size() % queries.length];
            for (int cache = 0; cache < nanos.length; cache++) {
                long start = System.nanoTime();
                caches.get(cache).attend(query, output);
                nanos[cache] = System.nanoTime() - start;
            }
            rounds.add(nanos);
        }
        return rounds;
    }

    private static double median(List<long[]> rounds, int cache) {
        long[] sorted = rounds.stream().mapToLong(round -> round[cache]).sorted().toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2.0;
    }

    /** Turns {@code [queryHeads][positions][headDim]} into {@code [positions][queryHeads * headDim]}. */
    private static float[][] queries(Prompt.Layer layer, LlamaConfig config) {
        int headDim = config.headDim();
        int positions = layer.windowQueries().length / config.queryColumns();
        float[][] queries = new float[positions][config.queryColumns()];
        for (int head = 0; head < config.queryHeads(); head++) {
            for (int position = 0; position < positions; position++) {
                System.arraycopy(
                        layer.windowQueries(), (head * positions + position) * headDim,
                        queries[position], head * headDim, headDim);
            }
        }
        return queries;
    }

    /** Repeats the tokens of {@code [keyValueHeads][tokens][headDim]}. */
    private static float[] repeated(float[] source, LlamaConfig config, int context) {
        int head = source.length / config.keyValueHeads();
        int target = context * config.headDim();
        float[] repeated = new float[config.keyValueHeads() * target];
        for (int i = 0; i < config.keyValueHeads(); i++) {
            for (int done = 0; done < target; done += head) {
                System.arraycopy(source, i * head, repeated, i * target + done, Math.min(head, target - done));
            }
        }
        return repeated;
    }
}
