package dev.attune.bench.jmh;

import dev.attune.examples.specs.Llama31Attention;
import dev.attune.examples.specs.Qwen3Attention;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KernelTuner;
import dev.attune.runtime.LayerKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long a specification's kernels take to load, once in a JVM: with classes of the runtime loaded by another
 * specification before, or with nothing loaded at all; and with records in the store, or without.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(
        value = 10,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class StartUpBenchmark {

    private static final List<Integer> CONTEXTS = List.of(4096, 32_768, 131_072);

    /** Whether the runtime's classes are loaded before. */
    @Param({"true", "false"})
    public boolean classesLoaded;

    /** Whether the store has records of the specification. */
    @Param({"true", "false"})
    public boolean warmStore;

    /** Fills a store of our own, whose records are only in files when they are looked up. */
    @Setup
    public void prepare() throws IOException {
        Path directory = Files.createTempDirectory("attune-start-up");
        System.setProperty("attune.store", directory.toString());
        System.setProperty("attune.store.mode", "write");
        if (warmStore) {
            KernelProvider provider = Attune.provider(Llama31Attention.class);
            // Preferred vectors as the runtime asks for them; kernels are not touched.
            TuningStore store = TuningStore.open(
                    new StoreSettings(directory, StoreSettings.Mode.WRITE), KernelTuner.environment());
            CONTEXTS.forEach(context -> store.save(record(provider, context)));
        }
        if (classesLoaded) {
            Attune.kernels(Qwen3Attention.class);
        }
    }

    private static TuningRecord record(KernelProvider provider, int contextTokens) {
        TuningKey key = KernelTuner.key(provider, contextTokens, Runtime.getRuntime().availableProcessors());
        String fastest = provider.variants().getFirst().name();
        List<CandidateResult> candidates = provider.variants().stream()
                .map(variant -> new CandidateResult(variant.name(), Verdict.TIMED, "", 20, 19, 21, 101))
                .toList();
        return new TuningRecord(key, fastest, fastest, "the default is the fastest", Instant.EPOCH, candidates);
    }

    /** Finds the generated kernels, looks up what was measured, chooses a variant and makes its first kernels. */
    @Benchmark
    public LayerKernels load() {
        return Attune.kernels(Llama31Attention.class);
    }
}
