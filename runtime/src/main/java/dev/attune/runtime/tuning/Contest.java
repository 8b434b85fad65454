package dev.attune.runtime.tuning;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;

/**
 * Times contestants against one another, and finds the one to use. The first one is the default: another takes its
 * place only if it is faster beyond doubt.
 *
 * <ol>
 *   <li>All take turns until the just-in-time compiler is done with them: until the fastest turn of none improved over
 *       two windows of time.
 *   <li>All take turns, in an order drawn anew for every round, so that none always follows the same other and all see
 *       the same disturbances. One that is three times slower than the best is stopped.
 *   <li>The default and the fastest other take turns once more: the other wins if it is faster by {@link #MARGIN} in
 *       the median of the rounds' ratios, and faster at all in three quarters of them.
 * </ol>
 *
 * <p>It ends within its budget, but for the turn it is in. An interrupt cancels it.
 */
public final class Contest {

    /** By how much another must be faster than the default, in the second measurement. */
    public static final double MARGIN = 0.02;

    /** One that is so many times slower than the best is stopped. */
    private static final double HOPELESS = 3;

    /** The same before all are sure to be compiled. */
    private static final double HOPELESS_IN_WARM_UP = 10;

    /** Rounds before anyone is stopped, and before anything is decided. */
    private static final int LEAST_ROUNDS = 5;

    /** More rounds hardly move a median. */
    private static final int MOST_ROUNDS = 101;

    private static final double IMPROVED = 0.97;
    private static final int STABLE_WINDOWS = 2;

    /** A turn is as many runs as last about so long: far above the clock's resolution. */
    private static final long TURN_NANOS = 2_000_000;

    /** Shares of the budget up to whose end the first two stages may go on. */
    private static final double WARM_UP = 0.3;

    private static final double ROUNDS = 0.7;

    private static final long SEED = 1;

    private final LongSupplier nanoTime;
    private final ContestListener listener;
    private final Random random = new Random(SEED);

    private final List<Entry> entries = new ArrayList<>();
    private long start;
    private long budget;

    /** A contestant and what is known of it. */
    private static final class Entry {

        private final Contestant contestant;
        private final List<Double> rounds = new ArrayList<>();
        private double fastest = Double.POSITIVE_INFINITY;
        private Verdict verdict = Verdict.TIMED;
        private String reason = "";

        private Entry(Contestant contestant) {
            this.contestant = contestant;
        }

        private boolean inPlay() {
            return verdict == Verdict.TIMED;
        }

        private double median() {
            return rounds.isEmpty() ? fastest : distribution().median();
        }

        private Distribution distribution() {
            return Distribution.of(rounds.stream().mapToDouble(Double::doubleValue).toArray());
        }
    }

    /**
     * What a contest came to.
     *
     * @param winner name of the contestant to use
     * @param conclusive whether there was time enough to tell; otherwise the default is the winner
     * @param reason why, with numbers, in words
     * @param results what became of each, in the order given; times are nanoseconds of a run
     */
    public record Outcome(String winner, boolean conclusive, String reason, List<CandidateResult> results) {

        /** Copies the list of results. */
        public Outcome {
            results = List.copyOf(results);
        }
    }

    /**
     * Prepares a contest.
     *
     * @param contestants the default, then the others
     * @param nanoTime a clock that never goes back, such as {@link System#nanoTime}
     * @param listener is told about progress
     * @throws IllegalArgumentException if there is no contestant
     */
    public Contest(List<? extends Contestant> contestants, LongSupplier nanoTime, ContestListener listener) {
        if (contestants.isEmpty()) {
            throw new IllegalArgumentException("a contest of nobody has no winner; the default takes part at least");
        }
        contestants.forEach(contestant -> entries.add(new Entry(contestant)));
        this.nanoTime = nanoTime;
        this.listener = listener;
    }

    /**
     * Holds the contest, once.
     *
     * @param budget how long it may take
     * @throws CancellationException if the thread was interrupted, which it stays
     * @throws ContestAbortedException if a contestant threw it
     * @throws IllegalStateException if all contestants failed
     */
    public Outcome hold(Duration budget) {
        this.start = nanoTime.getAsLong();
        this.budget = budget.toNanos();
        if (this.budget <= 0) {
            return inconclusive(entries.getFirst(), "the budget sufficed for 0 rounds");
        }
        warmUp();
        int[] runs = entries.stream()
                .mapToInt(entry -> (int) Math.clamp(TURN_NANOS / Math.max(entry.fastest, 1), 1, 1000))
                .toArray();
        rounds(entries, runs, ROUNDS, "timing", true);
        return decide(runs);
    }

    /** Lets all take turns until none improves any more. */
    private void warmUp() {
        int stable = 0;
        int windows = 0;
        do {
            boolean improved = false;
            for (Entry entry : inPlay(entries)) {
                if (elapsed() >= 1) {
                    return;
                }
                double before = entry.fastest;
                entry.fastest = Math.min(before, window(entry));
                improved |= entry.fastest < IMPROVED * before;
            }
            stable = improved ? 0 : stable + 1;
            windows++;
            if (windows >= STABLE_WINDOWS) {
                stopTheHopeless(HOPELESS_IN_WARM_UP);
            }
            report("warming up");
        } while (stable < STABLE_WINDOWS && elapsed() < WARM_UP);
    }

    /** Returns a contestant's fastest run of those it does in a share of the time that there is for warming up. */
    private double window(Entry entry) {
        double fastest = Double.POSITIVE_INFINITY;
        long windowStart = nanoTime.getAsLong();
        double length = budget * WARM_UP / (8 * entries.size());
        do {
            fastest = Math.min(fastest, turn(entry, 1));
        } while (entry.inPlay() && nanoTime.getAsLong() - windowStart < length);
        return fastest;
    }

    private void rounds(List<Entry> all, int[] runs, double untilElapsed, String stage, boolean stopping) {
        List<Entry> order = new ArrayList<>(all);
        for (int round = 1; round <= MOST_ROUNDS && elapsed() < untilElapsed; round++) {
            Collections.shuffle(order, random);
            for (Entry entry : inPlay(order)) {
                if (elapsed() >= 1) {
                    return;
                }
                double nanos = turn(entry, runs[entries.indexOf(entry)]);
                if (entry.inPlay()) {
                    entry.rounds.add(nanos);
                }
            }
            if (stopping && round >= LEAST_ROUNDS) {
                stopTheHopeless(HOPELESS);
            }
            report(stage);
        }
    }

    private void stopTheHopeless(double times) {
        double best = inPlay(entries).stream().mapToDouble(Entry::median).min().orElse(0);
        for (Entry entry : inPlay(entries)) {
            if (entry.median() > times * best) {
                entry.verdict = Verdict.STOPPED_EARLY;
                if (entry.rounds.isEmpty()) {
                    entry.rounds.add(entry.fastest);
                }
                entry.reason = String.format(
                        Locale.ROOT,
                        "%.1f times slower than the best, stopped after %d %s",
                        entry.median() / best,
                        entry.rounds.size(),
                        entry.rounds.size() == 1 ? "round" : "rounds");
            }
        }
    }

    private Outcome decide(int[] runs) {
        Entry standard = entries.getFirst();
        List<Entry> left = inPlay(entries);
        if (left.isEmpty()) {
            throw new IllegalStateException("every contestant failed: " + results());
        }
        // Round by round, so that it does not matter whose turns met the machine in a slow phase.
        Entry best = left.stream()
                .max(Comparator.comparingDouble(entry -> speedUp(left.getFirst(), entry)))
                .orElseThrow();
        String fastest = "the fastest of " + left.size() + " timed to the end";
        if (best.rounds.size() < LEAST_ROUNDS && standard.inPlay()) {
            return inconclusive(standard, "the budget sufficed for " + best.rounds.size() + " rounds");
        }
        if (best == standard) {
            return outcome(standard, "the default is " + fastest);
        }
        if (!standard.inPlay()) {
            return outcome(best, fastest + "; the default is out: " + standard.reason);
        }
        List<CandidateResult> results = results();
        double[] pairs = remeasure(standard, best, runs);
        if (!standard.inPlay() || !best.inPlay()) {
            return decide(runs);
        }
        if (pairs.length < LEAST_ROUNDS) {
            return inconclusive(
                    standard,
                    "the budget left " + pairs.length + " rounds to compare it with " + best.contestant.name());
        }
        Distribution ratios = Distribution.of(pairs);
        boolean wins = ratios.median() >= 1 + MARGIN && ratios.lowerQuartile() > 1;
        String numbers = String.format(
                Locale.ROOT,
                "%.3f times the default's speed in %d more rounds (quartiles %.3f to %.3f)",
                ratios.median(),
                pairs.length,
                ratios.lowerQuartile(),
                ratios.upperQuartile());
        return new Outcome(
                (wins ? best : standard).contestant.name(),
                true,
                wins
                        ? fastest + ", " + numbers
                        : "the default, " + best.contestant.name() + " was not faster beyond doubt: " + numbers,
                results);
    }

    private Outcome outcome(Entry winner, String reason) {
        return new Outcome(winner.contestant.name(), true, reason, results());
    }

    private Outcome inconclusive(Entry standard, String what) {
        return new Outcome(
                standard.contestant.name(),
                false,
                "the default, " + what + ", of which " + LEAST_ROUNDS + " are needed; give more time",
                results());
    }

    /** Returns how many times faster than the default another is, round by round. */
    private double[] remeasure(Entry standard, Entry best, int[] runs) {
        int first = standard.rounds.size();
        int other = best.rounds.size();
        rounds(List.of(standard, best), runs, 1, "comparing the best two", false);
        int pairs = Math.min(standard.rounds.size() - first, best.rounds.size() - other);
        return ratios(standard, first, best, other, pairs);
    }

    private static double speedUp(Entry standard, Entry other) {
        int pairs = Math.min(standard.rounds.size(), other.rounds.size());
        return pairs == 0
                ? standard.median() / other.median()
                : Distribution.of(ratios(standard, 0, other, 0, pairs)).median();
    }

    private static double[] ratios(Entry standard, int first, Entry other, int otherFirst, int pairs) {
        double[] ratios = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            ratios[i] = standard.rounds.get(first + i) / other.rounds.get(otherFirst + i);
        }
        return ratios;
    }

    /** Returns the nanoseconds of a run; a contestant that fails is out. */
    private double turn(Entry entry, int runs) {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("the contest was cancelled");
        }
        long before = nanoTime.getAsLong();
        try {
            entry.contestant.run(runs);
        } catch (CancellationException | ContestAbortedException end) {
            throw end;
        } catch (RuntimeException | LinkageError failure) {
            entry.verdict = Verdict.REFUSED;
            entry.reason = "it failed while it was timed: " + failure;
            return Double.POSITIVE_INFINITY;
        }
        return (nanoTime.getAsLong() - before) / (double) runs;
    }

    private static List<Entry> inPlay(List<Entry> entries) {
        return entries.stream().filter(Entry::inPlay).toList();
    }

    private List<CandidateResult> results() {
        return entries.stream().map(Contest::result).toList();
    }

    private static CandidateResult result(Entry entry) {
        if (entry.rounds.isEmpty()) {
            return CandidateResult.untimed(entry.contestant.name(), entry.verdict, entry.reason);
        }
        Distribution nanos = entry.distribution();
        return new CandidateResult(
                entry.contestant.name(),
                entry.verdict,
                entry.reason,
                nanos.median(),
                nanos.lowerQuartile(),
                nanos.upperQuartile(),
                entry.rounds.size());
    }

    private double elapsed() {
        return budget == 0 ? 1 : (nanoTime.getAsLong() - start) / (double) budget;
    }

    private void report(String stage) {
        Entry best = inPlay(entries).stream()
                .min(Comparator.comparingDouble(Entry::median))
                .orElse(entries.getFirst());
        listener.round(new ContestListener.Progress(
                stage, Math.min(elapsed(), 1), best.contestant.name(), best.median()));
    }
}
