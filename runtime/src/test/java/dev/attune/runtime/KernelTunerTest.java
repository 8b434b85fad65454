package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.reference.ReferenceKernels;
import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Variants that compute like the oracle, or not, on a clock that only their decoding moves. */
@Timeout(60)
class KernelTunerTest {

    private static final long MILLISECOND = 1_000_000;
    private static final Duration BUDGET = Duration.ofSeconds(60);
    private static final Duration SEARCH_BUDGET = Duration.ofSeconds(40);
    private static final int TOKENS = 1024;

    @TempDir
    private Path directory;

    private long now;
    private long allocated;

    /** Decodes right, within a time of its own for each head. */
    private class TimedKernels extends ReferenceKernels {

        private final long nanos;

        private TimedKernels(Backend backend, long nanos) {
            super(Impostors.SHAPE, backend);
            this.nanos = nanos;
        }

        @Override
        public void attend(
                int head,
                float[] queries,
                float[] scales,
                MemorySegment cache,
                long tile,
                int packedTokens,
                long dense,
                int denseTokens,
                float[] output,
                float[] logSumExp) {
            super.attend(head, queries, scales, cache, tile, packedTokens, dense, denseTokens, output, logSumExp);
            now += nanos;
            spoil(output);
        }

        void spoil(float[] output) {}
    }

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    private AttentionKernels millis(int millis) {
        return new TimedKernels(Backend.VECTOR_512, millis * MILLISECOND);
    }

    private AttentionKernels allocating(int millis) {
        return new TimedKernels(Backend.VECTOR_512, millis * MILLISECOND) {
            @Override
            void spoil(float[] output) {
                // One call for each key-value head of the cache that the compiler sees kernels on.
                allocated += 283 * TOKENS;
            }
        };
    }

    private AttentionKernels wrong(float factor) {
        return new TimedKernels(Backend.VECTOR_512, 1) {
            @Override
            void spoil(float[] output) {
                for (int i = 0; i < output.length; i++) {
                    output[i] *= factor;
                }
            }
        };
    }

    @Test
    void theFastestVariantIsChosenAndKept() {
        ReferenceProvider provider = provider(new Impostors()
                .with("vector512", () -> millis(10))
                .with("vector512-fast", () -> millis(8))
                .with("vector512-hopeless", () -> millis(40)));
        KernelTuner tuner = tuner(provider, 512);
        assertEquals(Optional.empty(), tuner.known(TOKENS, 1));
        TuningRecord record = tuner.tune(TOKENS, 1, BUDGET, ContestListener.SILENT);

        assertEquals("vector512-fast", record.chosen());
        assertEquals("vector512", record.defaultVariant());
        assertTrue(record.reason().contains("1.250 times the default's speed"), record.reason());
        assertEquals(
                List.of("vector512", "vector512-fast", "vector512-hopeless", "scalar"),
                record.candidates().stream().map(CandidateResult::variant).toList());
        assertEquals(Verdict.TIMED, candidate(record, "vector512").verdict());
        assertEquals(Verdict.STOPPED_EARLY, candidate(record, "vector512-hopeless").verdict());
        assertEquals(Verdict.TIMED, candidate(record, "scalar").verdict());
        // A step is one call for each key-value head.
        assertEquals(8.0 * MILLISECOND / TOKENS, candidate(record, "vector512-fast").medianNanos(), 1e-6);

        assertEquals(Optional.of(record), tuner(provider, 512).known(TOKENS, 1), "another process finds it");
        assertEquals(Optional.empty(), tuner(provider, 512).known(TOKENS, 2));
        assertEquals(Optional.empty(), tuner(provider, 512).known(2 * TOKENS, 1));
        assertEquals(Optional.empty(), tuner(provider, 256).known(TOKENS, 1), "another machine");
    }

    @Test
    void aVariantThatComputesSomethingWrongIsRefusedAndNamedHoweverFastItIs() {
        ReferenceProvider provider = provider(new Impostors()
                .with("vector512", () -> millis(10))
                .with("vector512-wrong", () -> wrong(1.03f))
                .with("vector512-nan", () -> wrong(Float.NaN))
                .with("vector512-throwing", () -> {
                    throw new ArithmeticException("in its constructor");
                }));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("vector512", record.chosen());
        assertRefused(record, "vector512-wrong", "normalised mean square error");
        assertRefused(record, "vector512-nan", "wrote beyond its outputs");
        assertRefused(record, "vector512-throwing", "java.lang.ArithmeticException: in its constructor");
    }

    private static void assertRefused(TuningRecord record, String variant, String words) {
        CandidateResult refused = candidate(record, variant);
        assertEquals(Verdict.REFUSED, refused.verdict());
        assertTrue(refused.reason().contains(words), refused.reason());
        assertEquals(0, refused.rounds());
    }

    @Test
    void whatWasRefusedIsNotChosenAnyMore() {
        ReferenceProvider provider = provider(new Impostors()
                .with("vector512", () -> wrong(1.03f))
                .with("vector512-right", () -> millis(10)));
        int threads = ThreadCount.ofProcess();
        TuningRecord record = tuner(provider, 512).tune(TOKENS, threads, BUDGET, ContestListener.SILENT);
        assertEquals("vector512-right", record.chosen());
        assertEquals("vector512-right", record.defaultVariant(), "the default among those that passed");
        LayerKernels kernels = LayerKernels.choose(provider, KernelPolicy.free(), machine(512));
        assertEquals("vector512-right", kernels.variant().name());
        Rung refused = kernels.ladder().getFirst();
        assertEquals("vector512", refused.variant());
        assertFalse(refused.supported());
        assertTrue(refused.reason().startsWith("refused, it failed verification on this machine"), refused.reason());
    }

    @Test
    void aDefaultThatIsTheFastestStays() {
        ReferenceProvider provider = provider(
                new Impostors().with("vector512", () -> millis(10)).with("vector512-other", () -> millis(11)));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("vector512", record.chosen());
        assertEquals("the default is the fastest of 3 timed to the end", record.reason());
    }

    @Test
    void aDefaultThatIsHopelesslySlowIsReplaced() {
        ReferenceProvider provider = provider(
                new Impostors().with("vector512", () -> millis(40)).with("vector512-fast", () -> millis(10)));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("vector512-fast", record.chosen());
        assertEquals("vector512", record.defaultVariant());
        assertEquals(Verdict.STOPPED_EARLY, candidate(record, "vector512").verdict());
        assertEquals(Optional.of(record), tuner(provider, 512).known(TOKENS, 1));
    }

    /** Its vectors are objects still, which is slow: another process, or more time, may find it the fastest. */
    @Test
    void withADefaultThatTheCompilerDidNotGetDoneWithNothingIsFoundOut() throws IOException {
        ReferenceProvider provider = provider(
                new Impostors().with("vector512", () -> allocating(10)).with("vector512-fast", () -> millis(8)));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("vector512", record.chosen());
        assertEquals("the default, nothing could be compared with it; give more time", record.reason());
        for (CandidateResult result : record.candidates()) {
            assertEquals(0, result.rounds());
        }
        assertTrue(
                candidate(record, "vector512")
                        .reason()
                        .startsWith("not timed, its vectors are still objects (283 bytes for a token and key-value"
                                + " head)"),
                candidate(record, "vector512").reason());
        assertNothingKept(provider);
    }

    @Test
    void anotherThatTheCompilerDidNotGetDoneWithIsLeftOut() {
        ReferenceProvider provider = provider(
                new Impostors().with("vector512", () -> millis(10)).with("vector512-fast", () -> allocating(8)));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("vector512", record.chosen());
        assertEquals(Verdict.LEFT_OUT, candidate(record, "vector512-fast").verdict());
        assertEquals(Optional.of(record), tuner(provider, 512).known(TOKENS, 1));
    }

    @Test
    void theWarmUpLastsUntilStepsAllocateNothing() {
        // Compiled after 10 s, in which it is slower than ever after.
        ReferenceProvider provider = provider(new Impostors()
                .with("vector512", () -> millis(10))
                .with("vector512-late", () -> new TimedKernels(Backend.VECTOR_512, 8 * MILLISECOND) {
                    @Override
                    void spoil(float[] output) {
                        if (now < 10_000 * MILLISECOND) {
                            now += 300 * MILLISECOND;
                            allocated += 283 * TOKENS;
                        }
                    }
                }));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("vector512-late", record.chosen(), record.reason());
    }

    @Test
    void inOneProcessVectorsAreAsWideAsTheDefaults() {
        ReferenceProvider provider = ReferenceProvider.of(
                Impostors.SHAPE,
                List.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.SCALAR),
                backend -> new TimedKernels(backend, backend == Backend.VECTOR_256 ? MILLISECOND : 10 * MILLISECOND));
        TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        CandidateResult narrow = candidate(record, "vector256");
        assertEquals(Verdict.LEFT_OUT, narrow.verdict());
        assertTrue(narrow.reason().endsWith("attune tune times it in a process of its own"), narrow.reason());
        assertEquals("vector512", record.chosen());
        assertEquals(Verdict.TIMED, candidate(record, "scalar").verdict());
    }

    @Test
    void whatCannotRunHereIsRecordedWithTheLaddersReason() {
        ReferenceProvider provider = provider(new Impostors().with("vector512", () -> millis(1)));
        TuningRecord record = tuner(provider, 256).tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        assertEquals("scalar", record.chosen());
        assertEquals(Verdict.UNSUPPORTED, candidate(record, "vector512").verdict());
        assertEquals(
                "wider than the 256 bits this machine prefers",
                candidate(record, "vector512").reason());
    }

    @Test
    void withTooLittleTimeNothingIsKept() throws IOException {
        ReferenceProvider provider = provider(
                new Impostors().with("vector512", () -> millis(10)).with("vector512-fast", () -> millis(1)));
        TuningRecord record =
                tuner(provider, 512).tune(TOKENS, 1, Duration.ofMillis(100), ContestListener.SILENT);
        assertEquals("vector512", record.chosen());
        assertTrue(record.reason().endsWith("give more time"), record.reason());
        assertNothingKept(provider);
    }

    @Test
    void anInterruptAtAnyStageKeepsNothing() throws IOException {
        ReferenceProvider provider = provider(
                new Impostors().with("vector512", () -> millis(10)).with("vector512-fast", () -> millis(6)));
        List<String> stages = new ArrayList<>();
        tuner(provider, 512).tune(TOKENS, 1, BUDGET, progress -> {
            if (!stages.contains(progress.stage())) {
                stages.add(progress.stage());
            }
        });
        assertTrue(
                stages.containsAll(List.of("verifying scalar", "compiling", "warming up", "timing")),
                stages::toString);
        deleteRecords();
        for (String stage : stages) {
            boolean[] interrupted = new boolean[1];
            KernelTuner tuner = tuner(provider, 512);
            assertThrows(
                    CancellationException.class,
                    () -> tuner.tune(TOKENS, 1, BUDGET, progress -> {
                        if (progress.stage().equals(stage) && !interrupted[0]) {
                            interrupted[0] = true;
                            Thread.currentThread().interrupt();
                        }
                    }),
                    stage);
            assertTrue(Thread.interrupted(), () -> "the interrupt is kept, " + stage);
            assertNothingKept(provider);
        }
    }

    @Test
    void verificationAndCompilingAreDoneOnce() {
        List<String> stages = new ArrayList<>();
        KernelTuner tuner = tuner(provider(new Impostors().with("vector512", () -> millis(10))), 512);
        tuner.tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        tuner.tune(2 * TOKENS, 1, BUDGET, progress -> stages.add(progress.stage()));
        assertTrue(stages.contains("timing"));
        assertFalse(stages.contains("compiling"));
        assertTrue(tuner.known(2 * TOKENS, 1).isPresent());
    }

    /** Three numbers of heads by seven of tiles; reading ahead of three with two heads is the fastest. */
    private Impostors grid(Set<String> wrong) {
        Impostors impostors = new Impostors();
        for (int heads : new int[] {4, 2, 1}) {
            for (int ahead = 6; ahead >= 0; ahead--) {
                boolean standard = heads == 4 && ahead == 6;
                String name = standard ? "vector512" : "vector512-heads" + heads + "-ahead" + ahead;
                int millis = 10 + 4 * Math.abs(heads - 2) + 2 * Math.abs(ahead - 3);
                impostors.with(
                        new KernelVariant(name, Backend.VECTOR_512, Strategy.PERMUTE, heads, 1, ahead),
                        () -> wrong.contains(name) ? wrong(1.03f) : millis(millis));
            }
        }
        return impostors;
    }

    @Test
    void ofTooManyVariantsASearchVerifiesAndComparesSome() {
        Set<String> stages = new LinkedHashSet<>();
        KernelTuner tuner = tuner(provider(grid(Set.of())), 512);
        TuningRecord record = tuner.tune(TOKENS, 1, SEARCH_BUDGET, progress -> stages.add(progress.stage()));
        assertEquals("vector512-heads2-ahead3", record.chosen(), record::reason);
        assertEquals("vector512", record.defaultVariant());
        assertTrue(
                record.reason().matches("the fastest of 2 timed to the end, 2\\.4\\d\\d times the default's speed in"
                        + " .*; a search compared \\d+ of 22 variants"),
                record::reason);
        List<CandidateResult> compared =
                record.candidates().stream().filter(each -> each.rounds() > 0).toList();
        List<CandidateResult> leftOut = record.candidates().stream()
                .filter(each -> each.verdict() == Verdict.LEFT_OUT)
                .toList();
        assertEquals(22, compared.size() + leftOut.size());
        assertTrue(compared.size() >= 9 && compared.size() <= 20, () -> compared.size() + " compared");
        leftOut.forEach(each -> assertEquals("the search has not come to it yet", each.reason()));
        assertTrue(
                leftOut.stream().anyMatch(each -> !stages.contains("searching, verifying " + each.variant())),
                "only what takes part in a race is verified");
        CandidateResult loser = candidate(record, "vector512-heads4-ahead3");
        assertEquals(Verdict.SEARCHED, loser.verdict());
        assertEquals("0.56 times the speed of vector512-heads2-ahead3 in a race of the search", loser.reason());
        assertTrue(stages.contains("searching, timing"), stages::toString);
        assertEquals(Optional.of(record), tuner.known(TOKENS, 1));
    }

    @Test
    void aSearchGoesOnWhereItsBudgetEnded() {
        ReferenceProvider provider = provider(grid(Set.of()));
        TuningRecord first = tuner(provider, 512).tune(TOKENS, 1, Duration.ofSeconds(20), ContestListener.SILENT);
        Set<String> compared = new HashSet<>();
        first.candidates().stream().filter(each -> each.rounds() > 0).forEach(each -> compared.add(each.variant()));
        assertTrue(compared.size() < 22, compared::toString);

        Set<String> stages = new LinkedHashSet<>();
        TuningRecord second =
                tuner(provider, 512).goOn(first, Duration.ofMinutes(10), progress -> stages.add(progress.stage()));
        assertEquals("vector512-heads2-ahead3", second.chosen(), second::reason);
        assertTrue(second.candidates().stream().allMatch(each -> each.rounds() > 0), second::toString);
        assertTrue(second.reason().endsWith("a search compared 22 of 22 variants"), second::reason);
        compared.removeAll(List.of("vector512", first.chosen()));
        for (String variant : compared) {
            assertFalse(stages.contains("searching, verifying " + variant), variant);
            assertEquals(candidate(first, variant), candidate(second, variant));
        }
    }

    @Test
    void whatASearchFindsToBeWrongIsRefusedAndNotChosen() {
        Set<String> wrong = Set.of("vector512-heads2-ahead3", "vector512-heads4-ahead3");
        TuningRecord record = tuner(provider(grid(wrong)), 512)
                .tune(TOKENS, 1, Duration.ofMinutes(10), ContestListener.SILENT);
        assertTrue(
                Set.of("vector512-heads2-ahead2", "vector512-heads2-ahead4").contains(record.chosen()),
                record::reason);
        wrong.forEach(variant -> assertRefused(record, variant, "normalised mean square error"));
    }

    @Test
    void aSearchWithADefaultThatIsWrongBeginsAtAnother() {
        TuningRecord record = tuner(provider(grid(Set.of("vector512"))), 512)
                .tune(TOKENS, 1, Duration.ofMinutes(10), ContestListener.SILENT);
        assertEquals("vector512-heads2-ahead3", record.chosen(), record::reason);
        assertEquals("vector512-heads4-ahead5", record.defaultVariant());
        assertRefused(record, "vector512", "normalised mean square error");
    }

    @Test
    void aSearchWithTooLittleTimeKeepsTheDefault() throws IOException {
        ReferenceProvider provider = provider(grid(Set.of()));
        for (Duration budget : List.of(Duration.ofNanos(1), Duration.ofMillis(200))) {
            TuningRecord record = tuner(provider, 512).tune(TOKENS, 1, budget, ContestListener.SILENT);
            assertEquals("vector512", record.chosen());
            assertTrue(record.reason().contains("give more time"), record::reason);
            assertNothingKept(provider);
        }
    }

    @Test
    void aRecordOfOtherKernelsIsNotGoneOnWith() {
        KernelTuner tuner = tuner(provider(new Impostors().with("vector512", () -> millis(10))), 512);
        TuningRecord record = tuner.tune(TOKENS, 1, BUDGET, ContestListener.SILENT);
        TuningKey key = record.key();
        TuningRecord other = new TuningRecord(
                new TuningKey(
                        key.specification(),
                        key.specificationHash(),
                        "0123456789abcdef",
                        key.operation(),
                        key.contextTokens(),
                        key.groupSize(),
                        key.threads(),
                        key.policy()),
                record.chosen(),
                record.defaultVariant(),
                record.reason(),
                record.measuredAt(),
                record.candidates());
        var refused = assertThrows(
                IllegalArgumentException.class, () -> tuner.goOn(other, BUDGET, ContestListener.SILENT));
        assertTrue(refused.getMessage().contains("take one that known() returned"), refused::getMessage);
    }

    private void assertNothingKept(ReferenceProvider provider) throws IOException {
        assertEquals(Optional.empty(), tuner(provider, 512).known(TOKENS, 1));
        assertEquals(List.of(), records());
    }

    private void deleteRecords() throws IOException {
        for (Path record : records()) {
            Files.delete(record);
        }
    }

    private List<Path> records() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> Files.isRegularFile(file) && !file.endsWith("manifest.json"))
                    .toList();
        }
    }

    /** The oracle takes twice as long as the default variants of these tests. */
    private ReferenceProvider provider(Impostors impostors) {
        return impostors.provider(() -> new TimedKernels(Backend.SCALAR, 20 * MILLISECOND));
    }

    private KernelTuner tuner(ReferenceProvider provider, int vectorBits) {
        return new KernelTuner(
                provider, KernelTuner.Isolation.THIS_PROCESS, KernelPolicy.free(), machine(vectorBits));
    }

    private Machine machine(int vectorBits) {
        return Machine.of(vectorBits, directory, new Meter(() -> now, () -> allocated));
    }

    private static CandidateResult candidate(TuningRecord record, String variant) {
        return record.candidate(variant).orElseThrow();
    }
}
