package dev.attune.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InterleavingTest {

    private static final Schedule SHORT = new Schedule(
            Duration.ofMillis(5), Duration.ofMillis(300), Duration.ofMillis(20), 4, Duration.ofMillis(1));

    private final List<Integer> turns = new ArrayList<>();

    @Test
    void everyContestantTakesOneTurnARound() {
        Rounds rounds = Interleaving.measure(List.of(spinning(0), spinning(1), spinning(2)), Clock.ELAPSED, SHORT);

        assertEquals(3, rounds.nanos().length);
        assertTrue(rounds.count() >= 4, () -> rounds.count() + " rounds");
        // Steps last 2 ms, a turn at least 1 ms: every turn is one step, and every three steps are a round.
        List<Integer> counted = turns.subList(turns.size() - 3 * rounds.count(), turns.size());
        for (int round = 0; round < rounds.count(); round++) {
            List<Integer> order = counted.subList(3 * round, 3 * round + 3);
            assertEquals(List.of(0, 1, 2), order.stream().sorted().toList());
        }
    }

    @Test
    void shortStepsAreRepeatedAndTheirTimeIsThatOfOneStep() {
        int[] steps = new int[1];
        Rounds rounds = Interleaving.measure(
                List.of(
                        () -> {
                            steps[0]++;
                            spin(20_000);
                        }),
                Clock.ELAPSED,
                SHORT);

        assertTrue(steps[0] > 10 * rounds.count(), () -> steps[0] + " steps in " + rounds.count() + " rounds");
        assertTrue(rounds.nanos(0).lowerQuartile() >= 20_000, () -> rounds.nanos(0).toString());
    }

    @Test
    void whatStillAllocatesHasNotSettled() {
        List<byte[]> kept = new ArrayList<>();
        assertFalse(Interleaving.measure(List.of(() -> kept.add(new byte[100])), Clock.ELAPSED, SHORT).settled());
    }

    private Contestant spinning(int contestant) {
        return () -> {
            turns.add(contestant);
            spin(2_000_000);
        };
    }

    private static void spin(long nanos) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < nanos) {
            Thread.onSpinWait();
        }
    }
}
