package dev.attune.runtime;

import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.Contest;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Search;
import dev.attune.runtime.tuning.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Finds the fastest of more variants than there is time to compare: a {@link Search} whose races are short contests,
 * and then a contest of the best it found with the default. Only what takes part in a race is verified and compiled.
 */
final class VariantSearch {

    /** Share of the budget for the search; the rest is for the last contest. */
    private static final double SEARCH = 0.7;

    /** Share of the budget for a race, and for compiling who takes part in it. */
    private static final double RACE = 0.06;

    private static final double COMPILING = 0.15;

    /** What no more time would change. */
    private static final Set<Verdict> OUT = Set.of(Verdict.REFUSED, Verdict.UNSUPPORTED);

    /** Begins the stages that listeners are told about. */
    private static final String SEARCHING = "searching, ";

    private final Trials trials;
    private final int tokens;
    private final int threads;
    private final Meter meter;
    private final ContestListener listener;
    private final Consumer<Map<String, CandidateResult>> afterRace;

    /** Of every variant that took part in a race, the last one's; times are nanoseconds of a step. */
    private final Map<String, CandidateResult> results = new LinkedHashMap<>();

    private long start;
    private long budget;

    /**
     * Prepares a search.
     *
     * @param tokens tokens of each cache
     * @param threads threads at work
     * @param afterRace is told all results after every race
     */
    VariantSearch(
            Trials trials,
            int tokens,
            int threads,
            Meter meter,
            ContestListener listener,
            Consumer<Map<String, CandidateResult>> afterRace) {
        this.trials = trials;
        this.tokens = tokens;
        this.threads = threads;
        this.meter = meter;
        this.listener = listener;
        this.afterRace = afterRace;
    }

    /**
     * Searches, once.
     *
     * @param standard the default, which is prepared
     * @param candidates all that can run here, the default among them
     * @param tried those that an earlier search has compared
     * @param first where to begin; the default, or the best of an earlier search
     * @param budget how long it may take
     * @throws java.util.concurrent.CancellationException if the thread was interrupted, which it stays
     */
    Contest.Outcome run(
            KernelVariant standard,
            List<KernelVariant> candidates,
            Set<KernelVariant> tried,
            KernelVariant first,
            Duration budget) {
        this.start = meter.nanoTime().getAsLong();
        this.budget = budget.toNanos();
        KernelVariant best =
                new Search<>(candidates, VariantSearch::coordinates, tried, new ShortContests()).run(first);
        // The best of an earlier search may not have met anyone in this one.
        trials.prepare(List.of(best), (long) (start + this.budget * Math.min(elapsed() + COMPILING, 1)), ofWhole(""));
        List<KernelVariant> last = new ArrayList<>(List.of(standard));
        if (!best.equals(standard) && !trials.out().containsKey(best.name())) {
            last.add(best);
        }
        Contest.Outcome outcome = contest(last, () -> start + this.budget, "");
        outcome.results().forEach(result -> results.put(result.variant(), result));
        String reason = outcome.conclusive() && best.equals(standard)
                ? "the default is the fastest that was found"
                : outcome.reason();
        return new Contest.Outcome(outcome.winner(), outcome.conclusive(), reason, List.copyOf(results.values()));
    }

    /** What sets variants apart, as their generator plans it; what takes another process to compile comes last. */
    private static List<?> coordinates(KernelVariant variant) {
        return List.of(
                variant.headGroup(),
                variant.streams(),
                variant.readAheadTiles(),
                variant.strategy(),
                variant.backend());
    }

    /** Races that the first wins unless another is faster beyond doubt, as the default does in a contest. */
    private final class ShortContests implements Search.Race<KernelVariant> {

        @Override
        public boolean goesOn() {
            return elapsed() < SEARCH;
        }

        @Override
        public KernelVariant fastest(List<KernelVariant> contestants) {
            trials.prepare(contestants, deadline(COMPILING), ofWhole(SEARCHING));
            List<KernelVariant> fit = contestants.stream()
                    .filter(each -> !trials.out().containsKey(each.name()))
                    .toList();
            if (fit.size() < 2) {
                return fit.isEmpty() ? contestants.getFirst() : fit.getFirst();
            }
            Contest.Outcome outcome = race(fit);
            // Whose race came to no conclusion has not been compared, unless it cannot be.
            outcome.results().stream()
                    .filter(result -> OUT.contains(result.verdict()) || outcome.conclusive())
                    .forEach(result -> results.put(result.variant(), searched(result, outcome)));
            afterRace.accept(results);
            return fit.stream()
                    .filter(each -> each.name().equals(outcome.winner()))
                    .findFirst()
                    .orElseThrow();
        }

        /** Long contexts, and many contestants, take longer to come to a conclusion. */
        private Contest.Outcome race(List<KernelVariant> fit) {
            Contest.Outcome outcome;
            double doubled = RACE;
            do {
                double share = doubled;
                outcome = contest(fit, () -> deadline(share), SEARCHING);
                doubled *= 2;
            } while (!outcome.conclusive() && goesOn());
            return outcome;
        }

        /** Returns when something that begins now has to be done with. */
        private long deadline(double share) {
            return (long) (start + budget * Math.min(elapsed() + share, SEARCH));
        }
    }

    /** Says of who was timed to the end of a race how it did there. */
    private static CandidateResult searched(CandidateResult result, Contest.Outcome race) {
        if (result.verdict() != Verdict.TIMED) {
            return result;
        }
        double winner = race.results().stream()
                .filter(each -> each.variant().equals(race.winner()))
                .mapToDouble(CandidateResult::medianNanos)
                .findFirst()
                .orElse(Double.NaN);
        String reason = result.variant().equals(race.winner())
                ? "won a race of the search"
                : String.format(
                        Locale.ROOT,
                        "%.2f times the speed of %s in a race of the search",
                        winner / result.medianNanos(),
                        race.winner());
        return result.as(Verdict.SEARCHED, reason);
    }

    private Contest.Outcome contest(List<KernelVariant> variants, LongSupplier end, String prefix) {
        return trials.contest(variants, tokens, threads, end, ofWhole(prefix));
    }

    /** Returns who tells the listener how much of the whole search is done, whatever a part of it says of itself. */
    private ContestListener ofWhole(String prefix) {
        return progress -> listener.round(new ContestListener.Progress(
                prefix + progress.stage(), Math.min(1, elapsed()), progress.best(), progress.bestNanos()));
    }

    private double elapsed() {
        return budget == 0 ? 1 : (meter.nanoTime().getAsLong() - start) / (double) budget;
    }
}
