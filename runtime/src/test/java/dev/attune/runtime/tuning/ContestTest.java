package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.runtime.tuning.Contest.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Contestants that take as long as they say, on a clock that nothing else moves. */
class ContestTest {

    private static final long MILLISECOND = 1_000_000;

    /** Such that time ends the rounds, not their number. */
    private static final Duration BUDGET = Duration.ofSeconds(5);

    /** Such that the clock passes the end of its range while a contest goes on. */
    private final long start = Long.MAX_VALUE - MILLISECOND;

    private final Random noise = new Random(42);
    private final List<ContestListener.Progress> progress = new ArrayList<>();
    /** When the default and the best other are compared: after 80 % of the budget. */
    private final long secondMeasurement = start + BUDGET.toNanos() * 8 / 10;

    private long now = start;

    /** Takes time by the number of its run, counted from 1. */
    private final class Timed implements Contestant {

        private final String name;
        private final IntToLongFunction nanos;
        private int runs;

        private Timed(String name, IntToLongFunction nanos) {
            this.name = name;
            this.nanos = nanos;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void run(int times) {
            for (int i = 0; i < times; i++) {
                runs++;
                now += nanos.applyAsLong(runs);
            }
        }
    }

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    @Test
    void theFastestWinsAndTheReasonSaysByHowMuch() {
        Outcome outcome = hold(noisy("default", 10), noisy("fast", 8), noisy("slow", 14));
        assertEquals("fast", outcome.winner());
        assertTrue(outcome.conclusive());
        assertTrue(
                outcome.reason().matches("the fastest of 3 timed to the end, 1\\.2[45]\\d times the default's speed in"
                        + " \\d+ more rounds \\(quartiles 1\\.2\\d\\d to 1\\.2\\d\\d\\)"),
                outcome.reason());
        CandidateResult fast = result(outcome, "fast");
        assertEquals(Verdict.TIMED, fast.verdict());
        assertEquals(8 * MILLISECOND, fast.medianNanos(), 0.02 * MILLISECOND);
        assertTrue(fast.lowerQuartileNanos() < fast.medianNanos());
        assertTrue(fast.medianNanos() < fast.upperQuartileNanos());
        assertTrue(fast.rounds() >= 5, () -> fast.rounds() + " rounds");
        assertEquals(14 * MILLISECOND, result(outcome, "slow").medianNanos(), 0.04 * MILLISECOND);
    }

    @Test
    void aDefaultThatIsTheFastestStays() {
        Outcome outcome = hold(noisy("default", 8), noisy("other", 10));
        assertEquals("default", outcome.winner());
        assertTrue(outcome.conclusive());
        assertEquals("the default is the fastest of 2 timed to the end", outcome.reason());
    }

    @Test
    void aDifferenceBelowTheMarginIsNone() {
        Outcome outcome = hold(steady("default", 10_000_000), steady("other", 9_900_000));
        assertEquals("default", outcome.winner());
        assertTrue(outcome.conclusive());
        assertTrue(
                outcome.reason().startsWith("the default, other was not faster beyond doubt: 1.010 times"),
                outcome.reason());
    }

    @Test
    void aDifferenceWithinTheNoiseIsNone() {
        // Faster by more than the margin in the middle, but slower in more than a quarter of the rounds.
        Outcome outcome = hold(
                new Timed("default", run -> (long) (10 * MILLISECOND * (0.6 + 0.8 * noise.nextDouble()))),
                new Timed("other", run -> (long) (9.6 * MILLISECOND * (0.6 + 0.8 * noise.nextDouble()))));
        assertEquals("default", outcome.winner());
    }

    @Test
    void whoWasLuckyInTheRoundsDoesNotWinTheSecondMeasurement() {
        Outcome outcome = hold(
                steady("default", 10 * MILLISECOND),
                new Timed("lucky", run -> now - secondMeasurement < 0 ? 9 * MILLISECOND : 11 * MILLISECOND),
                steady("slow", 25 * MILLISECOND));
        assertEquals("default", outcome.winner());
        assertTrue(outcome.conclusive());
        assertTrue(outcome.reason().contains("lucky was not faster beyond doubt: 0.909 times"), outcome.reason());
        assertEquals(9 * MILLISECOND, result(outcome, "lucky").medianNanos(), "what it was timed at at first");
    }

    @Test
    void whoIsThreeTimesSlowerThanTheBestIsStoppedEarly() {
        Timed slow = steady("slow", 31 * MILLISECOND);
        Outcome outcome = hold(steady("default", 10 * MILLISECOND), slow, steady("half", 29 * MILLISECOND));
        assertEquals(Verdict.STOPPED_EARLY, result(outcome, "slow").verdict());
        assertEquals("3.1 times slower than the best, stopped after 5 rounds", result(outcome, "slow").reason());
        assertEquals(31 * MILLISECOND, result(outcome, "slow").medianNanos());
        assertEquals(5, result(outcome, "slow").rounds());
        assertEquals(Verdict.TIMED, result(outcome, "half").verdict());
    }

    @Test
    void whoIsHopelesslySlowCostsLittle() {
        Timed hopeless = steady("hopeless", 300 * MILLISECOND);
        Outcome outcome = hold(steady("default", 10 * MILLISECOND), hopeless);
        assertEquals(Verdict.STOPPED_EARLY, result(outcome, "hopeless").verdict());
        assertTrue(hopeless.runs * 300 < BUDGET.toMillis() / 4, () -> hopeless.runs + " runs of 300 ms");
    }

    @Test
    void whatTheCompilerHasNotSeenYetDoesNotCount() {
        Outcome outcome = hold(
                new Timed("default", run -> run <= 5 ? 50 * MILLISECOND : 10 * MILLISECOND),
                new Timed("late", run -> run <= 9 ? 70 * MILLISECOND : 8 * MILLISECOND));
        assertEquals("late", outcome.winner());
        assertEquals(8 * MILLISECOND, result(outcome, "late").medianNanos());
        assertEquals(10 * MILLISECOND, result(outcome, "default").medianNanos());
    }

    @Test
    void aDisturbanceThatAllSeeChangesNothing() {
        // The machine is half as fast for two of every three tenths of a second.
        Outcome outcome = hold(
                new Timed("default", run -> 10 * MILLISECOND * slowness()),
                new Timed("fast", run -> 9 * MILLISECOND * slowness()),
                new Timed("slow", run -> 11 * MILLISECOND * slowness()));
        assertEquals("fast", outcome.winner());
    }

    private long slowness() {
        return (now - start) / 100_000_000 % 3 == 0 ? 1 : 2;
    }

    @Test
    void itEndsWithinItsBudgetButForTheRunItIsIn() {
        for (int millis : new int[] {0, 1, 3, 50, 400, 5_000}) {
            now = start;
            Duration budget = Duration.ofMillis(millis);
            hold(budget, noisy("default", 10), noisy("other", 9), noisy("long", 25), steady("short", 3_000));
            // A turn of a short one is some milliseconds.
            long over = now - start - budget.toNanos();
            assertTrue(over <= 26 * MILLISECOND, () -> over + " ns beyond a budget of " + budget);
        }
    }

    @Test
    void withTooLittleTimeTheDefaultStays() {
        Outcome outcome = hold(Duration.ofMillis(100), noisy("default", 10), noisy("fast", 2), noisy("other", 9));
        assertEquals("default", outcome.winner());
        assertFalse(outcome.conclusive());
        assertTrue(
                outcome.reason().matches("the default, .*\\d rounds.*, of which 5 are needed; give more time"),
                outcome.reason());
    }

    @Test
    void withNoTimeAtAllNobodyRuns() {
        Timed standard = steady("default", 1);
        Outcome outcome = hold(Duration.ZERO, standard, steady("other", 1));
        assertEquals("default", outcome.winner());
        assertFalse(outcome.conclusive());
        assertEquals(0, standard.runs);
        assertEquals(0, result(outcome, "default").rounds());
    }

    @Test
    void whoFailsIsOutAndTheReasonNamesTheFailure() {
        Outcome outcome = hold(
                steady("default", 10 * MILLISECOND),
                failing("at once", 1, 5 * MILLISECOND),
                failing("later", 100, 5 * MILLISECOND));
        assertEquals("default", outcome.winner());
        for (String name : List.of("at once", "later")) {
            assertEquals(Verdict.REFUSED, result(outcome, name).verdict());
            assertEquals(
                    "it failed while it was timed: java.lang.ArithmeticException: " + name,
                    result(outcome, name).reason());
        }
    }

    @Test
    void aDefaultThatFailsLeavesTheOthers() {
        Outcome outcome = hold(failing("default", 3, MILLISECOND), noisy("other", 10), noisy("slower", 12));
        assertEquals("other", outcome.winner());
        assertEquals(
                "the fastest of 2 timed to the end; the default is out: it failed while it was timed:"
                        + " java.lang.ArithmeticException: default",
                outcome.reason());
    }

    @Test
    void whoFailsInTheSecondMeasurementDoesNotWin() {
        Outcome outcome = hold(
                steady("default", 10 * MILLISECOND),
                new Timed("fast", run -> failThen(5 * MILLISECOND)),
                steady("slow", 12 * MILLISECOND),
                steady("slower", 14 * MILLISECOND));
        assertEquals("default", outcome.winner());
        assertEquals("the default is the fastest of 3 timed to the end", outcome.reason());
        assertEquals(Verdict.REFUSED, result(outcome, "fast").verdict());
    }

    @Test
    void aDefaultThatFailsInTheSecondMeasurementDoesNotStay() {
        Outcome outcome = hold(
                new Timed("default", run -> failThen(10 * MILLISECOND)),
                steady("fast", 5 * MILLISECOND),
                steady("slow", 12 * MILLISECOND),
                steady("slower", 14 * MILLISECOND));
        assertEquals("fast", outcome.winner());
        assertEquals(Verdict.REFUSED, result(outcome, "default").verdict());
    }

    private long failThen(long nanos) {
        if (now - secondMeasurement >= 0) {
            throw new ArithmeticException("too late");
        }
        return nanos;
    }

    @Test
    void ifAllFailThereIsNoWinner() {
        var contest = contest(failing("default", 1, 1), failing("other", 1, 1));
        var error = assertThrows(IllegalStateException.class, () -> contest.hold(BUDGET));
        assertTrue(error.getMessage().contains("java.lang.ArithmeticException: other"), error.getMessage());
    }

    @Test
    void nobodyIsNoContest() {
        assertThrows(IllegalArgumentException.class, this::contest);
    }

    @Test
    void anInterruptCancelsItAndIsKept() {
        var contest = contest(steady("default", MILLISECOND), new Timed("interrupting", run -> {
            if (run == 20) {
                Thread.currentThread().interrupt();
            }
            return MILLISECOND;
        }));
        assertThrows(CancellationException.class, () -> contest.hold(BUDGET));
        assertTrue(Thread.currentThread().isInterrupted());
    }

    @Test
    void theListenerHearsOfEveryStage() {
        hold(noisy("default", 10), noisy("fast", 8));
        assertEquals(
                List.of("warming up", "timing", "comparing the best two"),
                progress.stream().map(ContestListener.Progress::stage).distinct().toList());
        double last = 0;
        for (ContestListener.Progress each : progress) {
            assertTrue(each.fraction() >= last && each.fraction() <= 1, () -> each + " comes after " + progress);
            last = each.fraction();
        }
        assertEquals("fast", progress.getLast().best());
        assertEquals(8 * MILLISECOND, progress.getLast().bestNanos(), 0.1 * MILLISECOND);
    }

    @Test
    void resultsComeInTheOrderOfTheContestants() {
        Outcome outcome = hold(noisy("default", 10), steady("b", 400 * MILLISECOND), failing("a", 1, 1));
        assertEquals(
                List.of("default", "b", "a"),
                outcome.results().stream().map(CandidateResult::variant).toList());
    }

    private Timed steady(String name, long nanos) {
        return new Timed(name, run -> nanos);
    }

    private Timed noisy(String name, int millis) {
        return new Timed(name, run -> (long) (millis * MILLISECOND * (1 + 0.01 * noise.nextDouble(-1, 1))));
    }

    private Timed failing(String name, int failure, long nanos) {
        return new Timed(name, run -> {
            if (run >= failure) {
                throw new ArithmeticException(name);
            }
            return nanos;
        });
    }

    private Contest contest(Timed... contestants) {
        return new Contest(List.of(contestants), () -> now, progress::add);
    }

    private Outcome hold(Timed... contestants) {
        return hold(BUDGET, contestants);
    }

    private Outcome hold(Duration budget, Timed... contestants) {
        return contest(contestants).hold(budget);
    }

    private static CandidateResult result(Outcome outcome, String name) {
        return outcome.results().stream()
                .filter(result -> result.variant().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
