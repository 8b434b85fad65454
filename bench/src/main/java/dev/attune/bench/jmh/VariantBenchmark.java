package dev.attune.bench.jmh;

import dev.attune.bench.tuning.SpecificationCatalogue;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelPolicy;
import dev.attune.runtime.KeyValueCache;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
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

/**
 * A decode step of one variant by {@link KeyValueCache#attend}, each variant in JVMs of its own: a second opinion on
 * what {@code attune tune} chose.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 6, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class VariantBenchmark {

    private static final long SEED = 1;

    /** Name of the variant. */
    @Param({"vector512", "vector512-ahead0", "vector512-heads2-streams2", "vector512-heads1-streams4", "vector256"})
    public String variant;

    /** Simple or qualified name of the specification. */
    @Param("Llama31Attention")
    public String specification;

    /** Tokens in the cache. */
    @Param("32768")
    public int tokens;

    /** Threads that share the work. */
    @Param("1")
    public int threads;

    private KeyValueCache cache;
    private float[] queries;
    private float[] output;

    /** Packs random tokens. */
    @Setup
    public void open() {
        KernelProvider provider = SpecificationCatalogue.find(List.of()).named(specification);
        LayerShape shape = provider.shape();
        Random random = new Random(SEED);
        queries = new float[shape.queryHeads() * shape.headDim()];
        output = new float[queries.length];
        for (int i = 0; i < queries.length; i++) {
            queries[i] = (float) random.nextGaussian();
        }
        cache = Attune.kernels(provider, KernelPolicy.free().forcing(variant))
                .withThreads(threads)
                .newCache(tokens, 0);
        try (Arena arena = Arena.ofConfined()) {
            cache.prefill(tokens(arena, shape, random), tokens(arena, shape, random), MemorySegment.ofArray(queries));
        }
    }

    private MemorySegment tokens(Arena arena, LayerShape shape, Random random) {
        long numbers = (long) shape.keyValueHeads() * tokens * shape.headDim();
        MemorySegment all = arena.allocate(ValueLayout.JAVA_FLOAT, numbers);
        for (long i = 0; i < numbers; i++) {
            all.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return all;
    }

    /** Frees the memory. */
    @TearDown
    public void close() {
        cache.close();
    }

    /** A decode step of all heads. */
    @Benchmark
    public float[] attend() {
        cache.attend(queries, output);
        return output;
    }
}
