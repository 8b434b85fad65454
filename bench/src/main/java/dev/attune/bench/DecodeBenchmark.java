package dev.attune.bench;

import dev.attune.bench.layers.DenseGroup1;
import dev.attune.bench.layers.DenseGroup4;
import dev.attune.bench.layers.Keys80Group1;
import dev.attune.bench.layers.Keys80Group4;
import dev.attune.bench.layers.Keys80Values80Group1;
import dev.attune.bench.layers.Keys80Values80Group4;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.LayerKernels;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One decode step of one layer: all heads, on one thread. Divide by 8 heads and the tokens for ns per token and head. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "-Xmx8g"})
public class DecodeBenchmark {

    private static final int KEY_VALUE_HEADS = 8;
    private static final int HEAD_DIM = 128;

    /** What is pruned. */
    @Param
    public Pruning pruning;

    /** Query heads per key-value head. */
    @Param({"1", "4"})
    public int group;

    /** Tokens in the cache. */
    @Param({"4096", "32768"})
    public int tokens;

    private KeyValueCache cache;
    private float[] queries;
    private float[] output;

    /** The caches that are compared. */
    public enum Pruning {
        /** Nothing. */
        DENSE(DenseGroup1.class, DenseGroup4.class),
        /** Keys. */
        KEYS_80(Keys80Group1.class, Keys80Group4.class),
        /** Keys and values. */
        KEYS_80_VALUES_80(Keys80Values80Group1.class, Keys80Values80Group4.class);

        private final Class<?> groupOf1;
        private final Class<?> groupOf4;

        Pruning(Class<?> groupOf1, Class<?> groupOf4) {
            this.groupOf1 = groupOf1;
            this.groupOf4 = groupOf4;
        }

        Class<?> layer(int group) {
            return group == 1 ? groupOf1 : groupOf4;
        }
    }

    /** Fills the cache with random tokens. */
    @Setup
    public void fill() {
        LayerKernels kernels = Attune.kernels(pruning.layer(group));
        Random random = new Random(1);
        cache = kernels.newCache(tokens);
        cache.prefill(
                gaussians(random, KEY_VALUE_HEADS * tokens * HEAD_DIM),
                gaussians(random, KEY_VALUE_HEADS * tokens * HEAD_DIM),
                gaussians(random, KEY_VALUE_HEADS * group * 32 * HEAD_DIM));
        queries = gaussians(random, KEY_VALUE_HEADS * group * HEAD_DIM);
        output = new float[queries.length];
    }

    /** Frees the cache. */
    @TearDown
    public void close() {
        cache.close();
    }

    /** The decode step. */
    @Benchmark
    public float[] decodeStep() {
        cache.attend(queries, output);
        return output;
    }

    private static float[] gaussians(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
