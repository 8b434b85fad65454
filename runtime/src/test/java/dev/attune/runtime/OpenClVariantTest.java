package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.reference.ForwardingProvider;
import dev.attune.runtime.kernels.CompiledSpecifications;
import dev.attune.runtime.kernels.Specifications;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.opencl.OpenClTestDevice;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.spi.OpenClKernels;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import dev.attune.runtime.tuning.Warnings;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The variant of a device is measured, chosen and stepped down from as any other. Programs are those generated, changed
 * where something is to go wrong; the clock moves on by a tick whenever it is read.
 */
class OpenClVariantTest {

    private static final int HEADS = 2;
    private static final int GROUP = 2;
    private static final int HEAD_DIM = 64;
    private static final int TOKENS = 1024;
    private static final Duration BUDGET = Duration.ofSeconds(60);
    private static final long TICK = 20_000_000;

    /** A device that the ladder prefers, whatever the tests run on. */
    private static final OpenClSupport ACCELERATOR = new OpenClSupport("an accelerator", false, "");

    private static KernelProvider generated;

    @TempDir
    private Path directory;

    private final AtomicLong now = new AtomicLong();
    private final RandomTokens random = new RandomTokens("OpenClVariantTest");

    @BeforeAll
    static void compile() {
        OpenClTestDevice.require();
        AttentionModel model = Specifications.keepingGeneratedDense(
                Specifications.deviceLayer("OnDevice", HEADS, GROUP, HEAD_DIM));
        generated = CompiledSpecifications.of(List.of(model)).provider(model);
    }

    /** Another program. Programs are kept by their provider's class: every change needs a class of its own. */
    private record ChangedProgram(OpenClKernels unchanged, String source, int denseTileBytes) implements OpenClKernels {

        private static Optional<OpenClKernels> of(String statement, String another) {
            OpenClKernels kernels = generated.openCl().orElseThrow();
            assertEquals(2, kernels.source().split(Pattern.quote(statement), -1).length, statement);
            return Optional.of(new ChangedProgram(
                    kernels, kernels.source().replace(statement, another), kernels.denseTileBytes()));
        }

        @Override
        public int tileBytes() {
            return unchanged.tileBytes();
        }

        @Override
        public int headsPerPass() {
            return unchanged.headsPerPass();
        }

        @Override
        public int teams() {
            return unchanged.teams();
        }

        @Override
        public int groupsPerUnit() {
            return unchanged.groupsPerUnit();
        }
    }

    private static final class WrongByOnePart extends ForwardingProvider {

        private WrongByOnePart() {
            super(generated);
        }

        @Override
        public Optional<OpenClKernels> openCl() {
            return ChangedProgram.of("outputs = sum / sum_of_weights;", "outputs = 1.03f * sum / sum_of_weights;");
        }
    }

    private static final class NotCompiling extends ForwardingProvider {

        private NotCompiling() {
            super(generated);
        }

        @Override
        public Optional<OpenClKernels> openCl() {
            return ChangedProgram.of("outputs = sum / sum_of_weights;", "outputs = nothing;");
        }
    }

    /** Leaves decode steps over two packed tiles undone, as a device that is lost does. */
    private static final class FailingOnTwoTiles extends ForwardingProvider {

        private FailingOnTwoTiles() {
            super(generated);
        }

        @Override
        public Optional<OpenClKernels> openCl() {
            return ChangedProgram.of(
                    "const int dense_tiles = (dense_tokens + TILE_TOKENS - 1) / TILE_TOKENS;",
                    "if (packed_tokens == 128) { return; }"
                            + " const int dense_tiles = (dense_tokens + TILE_TOKENS - 1) / TILE_TOKENS;");
        }
    }

    private static final class LargeTiles extends ForwardingProvider {

        private int created;

        private LargeTiles() {
            super(generated);
        }

        @Override
        public AttentionKernels create(KernelVariant variant) {
            created++;
            return super.create(variant);
        }

        @Override
        public Optional<OpenClKernels> openCl() {
            OpenClKernels kernels = generated.openCl().orElseThrow();
            return Optional.of(new ChangedProgram(kernels, kernels.source(), 1 << 30));
        }
    }

    /** Decodes in host memory so much slower than devices that they win, and not so much that it is stopped. */
    private final class SlowOnTheHost extends ForwardingProvider {

        private SlowOnTheHost() {
            super(generated);
        }

        @Override
        public AttentionKernels create(KernelVariant variant) {
            AttentionKernels kernels = super.create(variant);
            Class<?> type = AttentionKernels.class;
            return (AttentionKernels) Proxy.newProxyInstance(
                    type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                        if (method.getName().equals("attend")) {
                            now.addAndGet(TICK / 4);
                        }
                        try {
                            return method.invoke(kernels, arguments);
                        } catch (InvocationTargetException failure) {
                            throw failure.getCause();
                        }
                    });
        }
    }

    private Machine machine(OpenClSupport openCl) {
        TuningStore store = TuningStore.open(
                new StoreSettings(directory, StoreSettings.Mode.WRITE),
                Environment.current(512, List.of(openCl.devices())));
        return new Machine(512, openCl, store, new Meter(() -> now.addAndGet(TICK), () -> 0));
    }

    private KernelTuner tuner(KernelProvider provider, OpenClSupport openCl) {
        return new KernelTuner(
                provider, KernelTuner.Isolation.THIS_PROCESS, KernelPolicy.free(), machine(openCl));
    }

    private TuningRecord tune(KernelProvider provider, OpenClSupport openCl) {
        return tuner(provider, openCl)
                .tune(TOKENS, ThreadCount.ofProcess(), BUDGET, ContestListener.SILENT);
    }

    @Test
    void aDeviceIsVerifiedTimedAndRecorded() {
        OpenClSupport here = OpenClSupport.ofThisMachine();
        TuningRecord record = tune(generated, here);
        for (String variant : List.of("opencl", "scalar")) {
            CandidateResult result = record.candidate(variant).orElseThrow();
            assertEquals(Verdict.TIMED, result.verdict(), result::reason);
            assertTrue(result.rounds() > 0, result::toString);
            assertEquals((double) TICK / (TOKENS * HEADS), result.medianNanos(), 1e-6);
        }
        assertEquals(here.processor() ? "scalar" : "opencl", record.defaultVariant());
        assertEquals(
                Optional.of(record),
                tuner(generated, here).known(TOKENS, ThreadCount.ofProcess()));
    }

    @Test
    void aDeviceThatIsTheFastestIsChosenEvenIfItIsAProcessor() {
        var processor = new OpenClSupport("a processor", true, "");
        KernelProvider provider = new SlowOnTheHost();
        assertEquals(
                Backend.SCALAR,
                LayerKernels.choose(provider, KernelPolicy.free(), machine(processor)).backend());

        TuningRecord record = tune(provider, processor);
        assertEquals("scalar", record.defaultVariant());
        assertEquals("opencl", record.chosen(), record.reason());
        LayerKernels kernels = LayerKernels.choose(provider, KernelPolicy.free(), machine(processor));
        assertEquals(Backend.OPENCL, kernels.backend());
        assertEquals("opencl: measured, in the store: " + record.reason(), kernels.ladder().getFirst().toString());
        try (KeyValueCache cache = kernels.newCache(200, 70);
                KeyValueCache oracle = onHost()) {
            fill(200, 70, cache, oracle);
            assertAgree(oracle, cache);
        }
    }

    @Test
    void aDeviceThatComputesSomethingWrongIsRefusedAndNamed() {
        KernelProvider provider = new WrongByOnePart();
        TuningRecord record = tune(provider, ACCELERATOR);
        CandidateResult wrong = record.candidate("opencl").orElseThrow();
        assertEquals(Verdict.REFUSED, wrong.verdict());
        assertTrue(wrong.reason().contains("normalised mean square error"), wrong.reason());
        assertEquals("scalar", record.chosen());

        LayerKernels kernels = LayerKernels.choose(provider, KernelPolicy.free(), machine(ACCELERATOR));
        assertEquals(Backend.SCALAR, kernels.backend());
        assertEquals(
                "opencl: refused, it failed verification on this machine: " + wrong.reason(),
                kernels.ladder().getFirst().toString());
    }

    @Test
    void aProgramThatDoesNotCompileIsSteppedDownFromUnlessThatIsForbidden() {
        KernelProvider provider = new NotCompiling();
        LayerKernels kernels = LayerKernels.choose(provider, KernelPolicy.free(), machine(ACCELERATOR));
        assertEquals(Backend.SCALAR, kernels.backend());
        Rung device = kernels.ladder().getFirst();
        assertTrue(device.reason().startsWith("its program cannot be used (clBuildProgram"), device::toString);
        for (KernelPolicy policy : List.of(KernelPolicy.free().forcing("opencl"), KernelPolicy.free().strictly())) {
            var error = assertThrows(
                    IllegalStateException.class, () -> LayerKernels.choose(provider, policy, machine(ACCELERATOR)));
            assertTrue(error.getMessage().contains("its program cannot be used"), error::getMessage);
            assertEquals(OpenClException.class, error.getCause().getClass());
        }
    }

    @Test
    void aCacheThatADeviceCannotHoldIsKeptInHostMemoryWhereThePolicyAllowsThat() {
        LargeTiles provider = new LargeTiles();
        int room = 16_384;
        for (KernelPolicy policy : List.of(
                KernelPolicy.free(), KernelPolicy.free().fallingBack().forcing(Backend.OPENCL))) {
            LayerKernels kernels = LayerKernels.choose(provider, policy, machine(ACCELERATOR));
            assertThrows(OpenClException.class, () -> kernels.newCache(0, room));
        }
        LayerKernels kernels =
                LayerKernels.choose(provider, KernelPolicy.free().fallingBack(), machine(ACCELERATOR));
        assertEquals(Backend.OPENCL, kernels.backend());
        try (Warnings warnings = new Warnings();
                KeyValueCache cache = kernels.newCache(200, room);
                KeyValueCache oracle = onHost()) {
            assertEquals(Backend.SCALAR, cache.backend());
            int created = provider.created;
            try (KeyValueCache another = kernels.newCache(200, room)) {
                assertEquals(created, provider.created, "all such caches share their kernels");
                fill(200, 70, cache, oracle, another);
                assertAgree(oracle, cache);
                assertAgree(oracle, another);
            }
            assertEquals(1, warnings.messages().size(), warnings.messages()::toString);
            String warning = warnings.messages().getFirst();
            String start = "specifications.OnDevice: a cache for " + (200 + room)
                    + " tokens is kept in host memory and served by scalar, since opencl failed: ";
            assertTrue(warning.startsWith(start), warning);
            assertTrue(warning.contains("dense tiles of a cache"), warning);
        }
    }

    @Test
    void aDecodeStepThatADeviceFailsIsAnExceptionAndWritesNothing() {
        for (KernelPolicy policy : List.of(KernelPolicy.free(), KernelPolicy.free().fallingBack())) {
            LayerKernels kernels = LayerKernels.choose(new FailingOnTwoTiles(), policy, machine(ACCELERATOR));
            try (KeyValueCache cache = kernels.newCache(192, 70);
                    KeyValueCache oracle = onHost()) {
                fill(64, 10, cache, oracle);
                assertAgree(oracle, cache);
                for (KeyValueCache each : List.of(cache, oracle)) {
                    each.clear();
                }
                fill(128, 10, cache, oracle);
                assertFailsUntouched(cache);
                assertEquals(138, cache.tokens());
                for (KeyValueCache each : List.of(cache, oracle)) {
                    each.clear();
                }
                fill(192, 10, cache, oracle);
                assertAgree(oracle, cache);
            }
        }
    }

    private void assertFailsUntouched(KeyValueCache cache) {
        float[] queries = random.next(HEADS * GROUP * HEAD_DIM);
        float[] output = filled(queries.length);
        float[] logSums = filled(HEADS * GROUP);
        for (Runnable step : List.<Runnable>of(
                () -> cache.attend(queries, output),
                () -> cache.attend(queries, output, logSums),
                () -> cache.attend(
                        MemorySegment.ofArray(queries),
                        MemorySegment.ofArray(output),
                        MemorySegment.ofArray(logSums)))) {
            var failure = assertThrows(OpenClException.class, step::run);
            assertTrue(failure.getMessage().startsWith("kernel attend or merge did not run on "), failure::getMessage);
            assertArrayEquals(filled(output.length), output);
            assertArrayEquals(filled(logSums.length), logSums);
        }
    }

    private static float[] filled(int numbers) {
        float[] filled = new float[numbers];
        Arrays.fill(filled, 4711);
        return filled;
    }

    private static KeyValueCache onHost() {
        return Attune.kernels(generated, Backend.SCALAR).newCache(200, 70);
    }

    private void fill(int prompt, int generatedTokens, KeyValueCache... caches) {
        LayerShape shape = generated.shape();
        float[] keys = random.next(HEADS * prompt * HEAD_DIM);
        float[] values = random.next(HEADS * prompt * HEAD_DIM);
        float[] window = random.next(shape.queryHeads() * HEAD_DIM);
        for (KeyValueCache cache : caches) {
            cache.prefill(keys, values, window);
        }
        for (int i = 0; i < generatedTokens; i++) {
            float[] key = random.next(HEADS * HEAD_DIM);
            float[] value = random.next(HEADS * HEAD_DIM);
            for (KeyValueCache cache : caches) {
                cache.append(key, value);
            }
        }
    }

    private void assertAgree(KeyValueCache oracle, KeyValueCache cache) {
        float[] queries = random.next(HEADS * GROUP * HEAD_DIM);
        float[] expected = new float[queries.length];
        float[] output = new float[queries.length];
        oracle.attend(queries, expected);
        cache.attend(queries, output);
        assertArrayEquals(expected, output, 1e-4f);
    }
}
