package dev.attune.bench.tuning;

import dev.attune.examples.report.ResultTable;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A record of measurements as text. */
public final class RecordTable {

    private static final List<String> HEADER =
            List.of("variant", "ns/token/head", "quartiles", "vs default", "rounds", "");

    private static final int REMARKS = 5;

    /** So many that were left out for the same reason have rows of their own. */
    private static final int LISTED = 4;

    private RecordTable() {}

    /** Returns what was measured, in a line. */
    public static String title(TuningRecord record) {
        TuningKey key = record.key();
        return name(record) + ", " + context(key.contextTokens()) + " tokens, " + threads(key.threads());
    }

    /** Returns the specification's name without its package. */
    static String name(TuningRecord record) {
        String name = record.key().specification();
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** Returns for example {@code 1 thread}. */
    public static String threads(int count) {
        return count + (count == 1 ? " thread" : " threads");
    }

    /** Returns for example {@code 32k} for 32 768 tokens. */
    public static String context(int tokens) {
        return tokens % 1024 == 0 ? tokens / 1024 + "k" : Integer.toString(tokens);
    }

    /** Returns the lines of an aligned table, then what was chosen and why; what many have in common is one line. */
    public static List<String> lines(TuningRecord record) {
        Map<String, List<CandidateResult>> untimed = record.candidates().stream()
                .filter(each -> each.verdict() == Verdict.LEFT_OUT)
                .collect(Collectors.groupingBy(CandidateResult::reason, LinkedHashMap::new, Collectors.toList()));
        untimed.values().removeIf(alike -> alike.size() <= LISTED);
        List<CandidateResult> listed = record.candidates().stream()
                .filter(each -> !untimed.getOrDefault(each.reason(), List.of()).contains(each))
                .toList();
        List<String> lines = new ArrayList<>(table(record, listed).lines(REMARKS));
        untimed.forEach((reason, alike) -> lines.add(alike.size() + " more: " + reason));
        lines.add("-> " + record.chosen() + ": " + record.reason());
        return lines;
    }

    /** Returns one row for each candidate. */
    public static ResultTable table(TuningRecord record) {
        return table(record, record.candidates());
    }

    private static ResultTable table(TuningRecord record, List<CandidateResult> candidates) {
        double standard = record.candidate(record.defaultVariant())
                .map(CandidateResult::medianNanos)
                .orElse(Double.NaN);
        return new ResultTable(
                HEADER, candidates.stream().map(each -> row(record, each, standard)).toList());
    }

    private static List<String> row(TuningRecord record, CandidateResult candidate, double standard) {
        boolean timed = Double.isFinite(candidate.medianNanos());
        // Races are minutes apart from the last contest; the remark compares within one.
        boolean compared = timed && Double.isFinite(standard) && candidate.verdict() != Verdict.SEARCHED;
        return List.of(
                candidate.variant(),
                timed ? format("%.2f", candidate.medianNanos()) : "-",
                timed ? format("%.2f-%.2f", candidate.lowerQuartileNanos(), candidate.upperQuartileNanos()) : "-",
                compared ? format("%.2fx", standard / candidate.medianNanos()) : "-",
                Integer.toString(candidate.rounds()),
                remark(record, candidate));
    }

    private static String remark(TuningRecord record, CandidateResult candidate) {
        String what = switch (candidate.verdict()) {
            case TIMED -> joined(
                    candidate.variant().equals(record.defaultVariant()) ? "the default" : "", candidate.reason());
            case STOPPED_EARLY, SEARCHED, LEFT_OUT -> candidate.reason();
            case REFUSED -> "refused: " + candidate.reason();
            case UNSUPPORTED -> "unsupported: " + candidate.reason();
        };
        return joined(candidate.variant().equals(record.chosen()) ? "chosen" : "", what);
    }

    private static String joined(String one, String other) {
        return one.isEmpty() || other.isEmpty() ? one + other : one + ", " + other;
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
