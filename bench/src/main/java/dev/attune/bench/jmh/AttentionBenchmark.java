package dev.attune.bench.jmh;

import dev.attune.annotations.NumberFormat;
import dev.attune.bench.layers.Layers;
import dev.attune.bench.layers.Pruning;
import dev.attune.bench.workload.Operation;
import dev.attune.bench.workload.RandomPrompt;
import dev.attune.bench.workload.Workload;
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
 * One operation on one layer, all tokens and all 8 key-value heads. Parameters are narrowed and widened by JMH's
 * {@code -p}: {@code -p operation=KEY_SCORES -p headDim=64 -p group=1,4,8}.
 *
 * <p>Forks run minutes apart: use this with a profiler ({@code -prof gc}), and {@code attune bench} for comparisons.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 10, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class AttentionBenchmark {

    /** What is measured. */
    @Param
    public Operation operation;

    /** What is pruned. */
    @Param
    public Pruning pruning;

    /** How kept entries are stored. */
    @Param("BFLOAT16")
    public NumberFormat format;

    /** Channels of a head. */
    @Param("128")
    public int headDim;

    /** Query heads per key-value head. */
    @Param({"1", "4"})
    public int group;

    /** Tokens in the cache. */
    @Param("32768")
    public int tokens;

    /** Threads that share the work. */
    @Param("1")
    public int threads;

    private RandomPrompt prompt;
    private Workload workload;

    /** Packs random tokens. */
    @Setup
    public void open() {
        prompt = new RandomPrompt(headDim, tokens);
        workload = operation.open(Layers.get(headDim, group, pruning, format), prompt, tokens, threads);
    }

    /** Frees the memory. */
    @TearDown
    public void close() {
        workload.close();
        prompt.close();
    }

    /** The operation; its results stay in memory that JMH cannot see, which no compiler may leave unwritten. */
    @Benchmark
    public void step() {
        workload.step();
    }
}
