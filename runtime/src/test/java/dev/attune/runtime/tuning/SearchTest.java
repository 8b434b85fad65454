package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;

/** Searches of a grid of points whose times are known. */
class SearchTest {

    private static final Point START = new Point(0, 0, 0);

    private record Point(int x, int y, int z) {

        private static List<?> coordinates(Point point) {
            return List.of(point.x, point.y, point.z);
        }
    }

    /** Compares by a formula, as often as it is told to. */
    private static final class Races implements Search.Race<Point> {

        private final ToIntFunction<Point> time;
        private final int most;
        private final List<List<Point>> held = new ArrayList<>();

        private Races(int most, ToIntFunction<Point> time) {
            this.most = most;
            this.time = time;
        }

        @Override
        public boolean goesOn() {
            return held.size() < most;
        }

        @Override
        public Point fastest(List<Point> candidates) {
            assertTrue(candidates.size() > 1, "a race of one");
            assertEquals(candidates.size(), new HashSet<>(candidates).size(), "one that races itself");
            held.add(candidates);
            Point fastest = candidates.getFirst();
            for (Point candidate : candidates) {
                fastest = time.applyAsInt(candidate) < time.applyAsInt(fastest) ? candidate : fastest;
            }
            return fastest;
        }

        private Set<Point> compared() {
            Set<Point> compared = new HashSet<>();
            held.forEach(compared::addAll);
            return compared;
        }
    }

    private static List<Point> grid(int size) {
        List<Point> grid = new ArrayList<>();
        for (int x = 0; x < size; x++) {
            for (int y = 0; y < size; y++) {
                for (int z = 0; z < size; z++) {
                    grid.add(new Point(x, y, z));
                }
            }
        }
        return grid;
    }

    private static Point search(List<Point> points, Set<Point> tried, Races races) {
        return new Search<>(points, Point::coordinates, tried, races).run(START);
    }

    private static int valley(Point point) {
        return 100 + Math.abs(point.x - 3) + 2 * Math.abs(point.y - 1) + 3 * Math.abs(point.z - 4);
    }

    @Test
    void oneDescentFindsTheBottomOfAValleyByComparingFew() {
        Races races = new Races(4, SearchTest::valley);
        assertEquals(new Point(3, 1, 4), search(grid(6), Set.of(), races));
        assertTrue(races.compared().size() <= 1 + 4 * 5, () -> races.compared().toString());
    }

    @Test
    void restartsFindWhatADescentDoesNotLeadTo() {
        // Nothing next to it is any better than the rest.
        Point needle = new Point(4, 4, 4);
        Races races = new Races(1000, point -> point.equals(needle) ? 1 : valley(point));
        assertEquals(needle, search(grid(6), Set.of(), races));
        assertEquals(new HashSet<>(grid(6)), races.compared(), "with time enough, everything is compared");
    }

    @Test
    void nothingIsComparedAnewButWhereTheSearchStands() {
        Races races = new Races(1000, SearchTest::valley);
        search(grid(5), Set.of(), races);
        Set<Point> before = new HashSet<>();
        for (List<Point> race : races.held) {
            Set<Point> others = new HashSet<>(race.subList(1, race.size()));
            // The end of another descent meets the best so far, alone.
            assertTrue(race.size() == 2 || others.stream().noneMatch(before::contains), race::toString);
            before.addAll(race);
        }
    }

    @Test
    void itEndsWhenTheTimeIsOver() {
        for (int most = 0; most < 20; most++) {
            Races races = new Races(most, SearchTest::valley);
            Point best = search(grid(6), Set.of(), races);
            assertEquals(most, races.held.size());
            assertTrue(valley(best) <= valley(START));
            for (Point compared : races.compared()) {
                assertTrue(most > 4 || valley(best) <= valley(compared), compared::toString);
            }
        }
    }

    @Test
    void anotherSearchGoesOnWithWhatWasNotCompared() {
        Point needle = new Point(4, 4, 4);
        Races first = new Races(5, point -> point.equals(needle) ? 1 : valley(point));
        Point best = search(grid(6), Set.of(), first);
        Races second = new Races(1000, first.time);
        Point end = new Search<>(grid(6), Point::coordinates, first.compared(), second).run(best);
        assertEquals(needle, end);
        second.held.forEach(race -> race.subList(1, race.size()).forEach(point ->
                assertFalse(first.compared().contains(point) && !point.equals(best), point::toString)));
    }

    @Test
    void theSameRacesMakeTheSameSearch() {
        Races one = new Races(30, SearchTest::valley);
        Races other = new Races(30, SearchTest::valley);
        search(grid(6), Set.of(), one);
        search(grid(6), Set.of(), other);
        assertEquals(one.held, other.held);
    }

    @Test
    void aSpaceMayHaveGaps() {
        // As with read-ahead, which only those that read one tile at a time have.
        List<Point> points = grid(6).stream().filter(point -> point.y == 0 || point.z == 0).toList();
        Races races = new Races(1000, SearchTest::valley);
        assertEquals(new Point(3, 0, 4), search(points, Set.of(), races));
        assertTrue(points.containsAll(races.compared()));
    }

    @Test
    void whatIsAloneIsTheBest() {
        assertEquals(START, search(List.of(START), Set.of(), new Races(10, SearchTest::valley)));
    }

    @Test
    void noCandidatesAreRefused() {
        var failure = assertThrows(
                IllegalArgumentException.class, () -> search(List.of(), Set.of(), new Races(1, SearchTest::valley)));
        assertTrue(failure.getMessage().startsWith("a search among no candidates"), failure::getMessage);
    }
}
