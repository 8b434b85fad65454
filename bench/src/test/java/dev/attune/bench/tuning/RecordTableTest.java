package dev.attune.bench.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Records as people read them. */
class RecordTableTest {

    private static final TuningKey KEY =
            new TuningKey("models.Foo", "0123456789abcdef", "0123456789abcdef", "attend", 4096, 4, 1, "interleaved-2");

    private static TuningRecord record(List<CandidateResult> candidates) {
        return new TuningRecord(
                KEY, "fast", "usual", "measured", Instant.parse("2026-01-02T03:04:05Z"), candidates);
    }

    private static List<CandidateResult> finalists() {
        return new ArrayList<>(List.of(
                new CandidateResult("usual", Verdict.TIMED, "", 20, 19, 21, 101),
                new CandidateResult("fast", Verdict.TIMED, "", 16, 15, 17, 101)));
    }

    @Test
    void timesOfARaceAreNotComparedWithThoseOfTheLastContest() {
        List<CandidateResult> candidates = finalists();
        candidates.add(new CandidateResult(
                "slow", Verdict.SEARCHED, "0.50 times the speed of usual in a race of the search", 40, 39, 41, 101));
        TuningRecord record = record(candidates);
        assertEquals(
                List.of(
                        "variant  ns/token/head    quartiles  vs default  rounds",
                        "----------------------------------------------------------------------------------------"
                                + "----------------------",
                        "usual            20.00  19.00-21.00       1.00x     101  the default",
                        "fast             16.00  15.00-17.00       1.25x     101  chosen",
                        "slow             40.00  39.00-41.00           -     101  0.50 times the speed of usual in a"
                                + " race of the search",
                        "-> fast: measured"),
                RecordTable.lines(record));
    }

    @Test
    void manyThatWereLeftOutForOneReasonAreOneLine() {
        List<CandidateResult> candidates = finalists();
        for (int i = 0; i < 5; i++) {
            candidates.add(CandidateResult.untimed("other" + i, Verdict.LEFT_OUT, "not come to"));
        }
        candidates.add(CandidateResult.untimed("late", Verdict.LEFT_OUT, "no time was left"));
        TuningRecord record = record(candidates);
        List<String> lines = RecordTable.lines(record);
        assertEquals(2 + 3 + 2, lines.size(), lines::toString);
        assertEquals("5 more: not come to", lines.get(5));
        assertEquals("-> fast: measured", lines.get(6));
        assertEquals(8, RecordTable.table(record).rows().size(), "machines get all of them");
    }
}
