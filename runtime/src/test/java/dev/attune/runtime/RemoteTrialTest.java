package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.ReferenceProvider;
import dev.attune.reference.SpaciousLayer;
import dev.attune.reference.TimedLayer;
import dev.attune.reference.TimedLayerKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.ContestAbortedException;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Variants that are verified and timed in processes of their own, which take their real time there. */
@Timeout(120)
class RemoteTrialTest {

    private static final int TOKENS = 1024;
    private static final Duration BUDGET = Duration.ofSeconds(20);

    private final KernelProvider provider = Attune.provider(TimedLayer.class);

    @TempDir
    private Path directory;

    @AfterEach
    void restore() {
        Thread.interrupted();
        System.clearProperty(TimedLayerKernels.FATAL_VARIANT);
        assertEquals(Set.of(), children(), "no process outlives its tuner");
    }

    private KernelTuner tuner(KernelTuner.Isolation isolation) {
        return new KernelTuner(
                provider, isolation, KernelPolicy.free(), Machine.of(512, directory, Meter.ofJvm()));
    }

    private static Set<Long> children() {
        return ProcessHandle.current().children().map(ProcessHandle::pid).collect(Collectors.toSet());
    }

    @Test
    void theFastestIsFoundAmongProcessesAndTheWrongIsRefused() {
        Set<String> stages = new HashSet<>();
        TuningRecord record;
        try (KernelTuner tuner = tuner(KernelTuner.Isolation.OWN_PROCESSES)) {
            record = tuner.tune(TOKENS, 1, BUDGET, progress -> {
                stages.add(progress.stage());
                assertTrue(children().size() <= 4, "one for each backend");
            });
            assertTrue(children().size() >= 4, "the processes serve the next contest, too");
        }
        assertEquals("vector512", record.defaultVariant());
        assertEquals("vector256", record.chosen(), record.reason());
        assertTrue(record.reason().startsWith("the fastest of "), record.reason());
        CandidateResult wrong = record.candidate("vector128").orElseThrow();
        assertEquals(Verdict.REFUSED, wrong.verdict());
        assertTrue(wrong.reason().contains("normalised mean square error"), wrong.reason());
        for (String right : List.of("vector512", "vector256", "scalar")) {
            CandidateResult result = record.candidate(right).orElseThrow();
            assertTrue(result.rounds() > 0, result::toString);
            assertTrue(result.medianNanos() > 0, result::toString);
        }
        assertTrue(
                stages.containsAll(Set.of("verifying vector512", "verifying scalar", "compiling", "timing")),
                stages::toString);
        assertEquals(
                Optional.of(record), tuner(KernelTuner.Isolation.THIS_PROCESS).known(TOKENS, 1), "it is in the store");
    }

    @Test
    void whatNoTimeIsLeftForIsLeftOutButNeverTheDefault() {
        try (KernelTuner tuner = tuner(KernelTuner.Isolation.OWN_PROCESSES)) {
            TuningRecord record = tuner.tune(TOKENS, 1, Duration.ofNanos(1), ContestListener.SILENT);
            assertEquals("vector512", record.chosen());
            assertTrue(record.reason().endsWith("give more time"), record::reason);
            for (String other : List.of("vector256", "vector128", "scalar")) {
                assertEquals(
                        CandidateResult.untimed(other, Verdict.LEFT_OUT, "no time was left to verify and compile it"),
                        record.candidate(other).orElseThrow());
            }
            assertEquals(Optional.empty(), tuner.known(TOKENS, 1));
        }
    }

    @Test
    void aProcessThatEndsIsNamedWithWhatItPrintedAndNothingIsKept() {
        System.setProperty(TimedLayerKernels.FATAL_VARIANT, "vector256");
        try (KernelTuner tuner = tuner(KernelTuner.Isolation.OWN_PROCESSES)) {
            var aborted = assertThrows(
                    ContestAbortedException.class,
                    () -> tuner.tune(TimedLayerKernels.FATAL_TOKENS, 1, BUDGET, ContestListener.SILENT));
            assertTrue(
                    aborted.getMessage()
                            .startsWith("the process that timed vector256 ended while running vector256, nothing was"
                                    + " kept of this measurement; it ended with exit value "
                                    + TimedLayerKernels.FATAL_EXIT),
                    aborted::getMessage);
            assertTrue(aborted.getMessage().endsWith("\n  a fatal error"), aborted::getMessage);
            assertEquals(Optional.empty(), tuner.known(TimedLayerKernels.FATAL_TOKENS, 1));
        }
    }

    @Test
    void anInterruptWhileAProcessCompilesEndsIt() {
        try (KernelTuner tuner = tuner(KernelTuner.Isolation.OWN_PROCESSES)) {
            assertThrows(
                    CancellationException.class,
                    () -> tuner.tune(TOKENS, 1, BUDGET, progress -> {
                        if (progress.stage().equals("compiling")) {
                            Thread.currentThread().interrupt();
                        }
                    }));
            assertTrue(Thread.interrupted());
            assertEquals(Set.of(), children());
            assertEquals(Optional.empty(), tuner.known(TOKENS, 1));
        }
    }

    @Test
    void whatAnInterruptedSearchHasComparedIsKeptAndItGoesOn() {
        KernelProvider spacious = Attune.provider(SpaciousLayer.class);
        Machine machine = Machine.of(512, directory, Meter.ofJvm());
        TuningRecord unfinished;
        try (KernelTuner tuner = new KernelTuner(
                spacious, KernelTuner.Isolation.OWN_PROCESSES, KernelPolicy.free(), machine)) {
            assertThrows(
                    CancellationException.class,
                    () -> tuner.tune(TOKENS, 1, Duration.ofSeconds(60), progress -> {
                        if (tuner.known(TOKENS, 1).isPresent()) {
                            Thread.currentThread().interrupt();
                        }
                    }));
            assertTrue(Thread.interrupted());
            unfinished = tuner.known(TOKENS, 1).orElseThrow();
        }
        assertEquals("vector512", unfinished.chosen(), "nothing is chosen before the end");
        assertEquals("a search has not ended yet", unfinished.reason());
        Set<String> compared = compared(unfinished);
        assertTrue(compared.size() >= 2 && compared.size() < 21, compared::toString);

        try (KernelTuner tuner = new KernelTuner(
                spacious, KernelTuner.Isolation.OWN_PROCESSES, KernelPolicy.free(), machine)) {
            TuningRecord record = tuner.goOn(unfinished, BUDGET, ContestListener.SILENT);
            assertTrue(record.reason().matches(".*; a search compared \\d+ of 21 variants"), record::reason);
            assertTrue(compared(record).containsAll(compared), record::toString);
            assertTrue(compared(record).size() > compared.size(), record::toString);
            assertEquals(Optional.of(record), tuner.known(TOKENS, 1));
        }
    }

    @Test
    void anInterruptWhileASearchCompilesEndsItsProcesses() {
        KernelProvider spacious = Attune.provider(SpaciousLayer.class);
        Machine machine = Machine.of(512, directory, Meter.ofJvm());
        try (KernelTuner tuner = new KernelTuner(
                spacious, KernelTuner.Isolation.OWN_PROCESSES, KernelPolicy.free(), machine)) {
            assertThrows(
                    CancellationException.class,
                    () -> tuner.tune(TOKENS, 1, BUDGET, progress -> {
                        if (progress.stage().equals("searching, compiling")) {
                            Thread.currentThread().interrupt();
                        }
                    }));
            assertTrue(Thread.interrupted());
            assertEquals(Set.of(), children());
        }
    }

    private static Set<String> compared(TuningRecord record) {
        return record.candidates().stream()
                .filter(candidate -> candidate.rounds() > 0)
                .map(CandidateResult::variant)
                .collect(Collectors.toSet());
    }

    @Test
    void aProcessThatDoesNotFindTheKernelsSaysSo() {
        var variants = List.of(ReferenceProvider.defaultOf(Backend.SCALAR));
        try (RemoteTrial trial = new RemoteTrial(RemoteTrialTest.class, "scalar", "")) {
            trial.begin(variants, 1);
            var failure = assertThrows(IllegalStateException.class, () -> trial.prepared(ContestListener.SILENT));
            assertTrue(failure.getMessage().contains("no generated kernels"), failure::getMessage);
        }
    }
}
