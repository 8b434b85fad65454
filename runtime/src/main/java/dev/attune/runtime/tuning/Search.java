package dev.attune.runtime.tuning;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;

/**
 * Finds a fast one of more candidates than there is time to compare: coordinate descent with seeded restarts.
 *
 * <ol>
 *   <li>From where it stands, it goes along one coordinate: of each other value of that coordinate, the candidate that
 *       is most like the present one takes part in a race with it, and the winner is where it stands from then on. When
 *       no coordinate leads to a faster one any more, a descent ends.
 *   <li>Another descent begins at a candidate drawn from those not compared yet, and its end is compared with the best
 *       so far; and so on until the race has no time left, or every candidate was compared.
 * </ol>
 *
 * <p>No candidate is compared anew but where a search stands and the best so far. The same seed and the same winners
 * give the same search.
 *
 * @param <C> the candidates
 */
public final class Search<C> {

    private static final long SEED = 1;

    /** What compares candidates. */
    public interface Race<C> {

        /** Returns whether there is time for another race. */
        boolean goesOn();

        /**
         * Returns the fastest; the first unless another is faster beyond doubt.
         *
         * @param candidates two or more
         */
        C fastest(List<C> candidates);
    }

    private final Function<C, List<?>> coordinates;
    private final Race<C> race;
    private final int axes;
    private final List<C> candidates;
    private final Set<C> untried;
    private final Random random = new Random(SEED);

    /**
     * Prepares a search.
     *
     * @param candidates all there are; in this order where several are alike
     * @param coordinates returns what sets candidates apart, equally many values for each
     * @param tried those that need no comparison any more, from an earlier search
     * @param race compares
     * @throws IllegalArgumentException if there are no candidates
     */
    public Search(
            Collection<C> candidates, Function<C, List<?>> coordinates, Collection<C> tried, Race<C> race) {
        if (candidates.isEmpty()) {
            throw new IllegalArgumentException("a search among no candidates finds none; give it one at least");
        }
        this.coordinates = Objects.requireNonNull(coordinates, "coordinates is null");
        this.race = Objects.requireNonNull(race, "race is null");
        this.candidates = List.copyOf(candidates);
        this.axes = coordinates.apply(this.candidates.getFirst()).size();
        this.untried = new LinkedHashSet<>(candidates);
        untried.removeAll(tried);
    }

    /**
     * Searches, once.
     *
     * @param start where to begin; the default, or the best of an earlier search
     * @return the best that was found
     */
    public C run(C start) {
        C best = descent(start);
        while (race.goesOn() && !untried.isEmpty()) {
            C restart = List.copyOf(untried).get(random.nextInt(untried.size()));
            C end = descent(restart);
            untried.remove(restart);
            if (race.goesOn() && !end.equals(best)) {
                best = race.fastest(List.of(best, end));
            }
        }
        return best;
    }

    /** Goes along the coordinates, in turns, until none of them leads to a faster candidate. */
    private C descent(C start) {
        C present = start;
        int still = 0;
        for (int axis = 0; still < axes && race.goesOn(); axis = (axis + 1) % axes) {
            List<C> contestants = new ArrayList<>();
            contestants.add(present);
            contestants.addAll(along(axis, present));
            still++;
            if (contestants.size() > 1) {
                contestants.forEach(untried::remove);
                C fastest = race.fastest(contestants);
                still = fastest.equals(present) ? still : 1;
                present = fastest;
            }
        }
        return present;
    }

    /** Returns, for every other value of a coordinate, the candidate most like the present one, if it was not tried. */
    private List<C> along(int axis, C present) {
        List<?> here = coordinates.apply(present);
        Set<Object> values = new LinkedHashSet<>();
        candidates.forEach(candidate -> values.add(coordinates.apply(candidate).get(axis)));
        values.remove(here.get(axis));
        List<C> next = new ArrayList<>();
        for (Object value : values) {
            C nearest = null;
            long most = -1;
            for (C candidate : candidates) {
                List<?> there = coordinates.apply(candidate);
                long alike = alike(here, there);
                if (there.get(axis).equals(value) && alike > most) {
                    nearest = candidate;
                    most = alike;
                }
            }
            if (untried.contains(nearest)) {
                next.add(nearest);
            }
        }
        return next;
    }

    private long alike(List<?> here, List<?> there) {
        long alike = 0;
        for (int axis = 0; axis < axes; axis++) {
            alike += here.get(axis).equals(there.get(axis)) ? 1 : 0;
        }
        return alike;
    }
}
