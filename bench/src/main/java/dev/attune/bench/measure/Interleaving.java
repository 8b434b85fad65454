package dev.attune.bench.measure;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Times contestants in rounds: each takes one turn a round, in an order drawn anew for every round, so that none always
 * follows the same other. A turn is as many steps as last some milliseconds, but at least one.
 */
public final class Interleaving {

    private static final long SEED = 1;

    private final List<? extends Contestant> contestants;
    private final Clock clock;
    private final Schedule schedule;

    private Interleaving(List<? extends Contestant> contestants, Clock clock, Schedule schedule) {
        this.contestants = List.copyOf(contestants);
        this.clock = clock;
        this.schedule = schedule;
    }

    /** Warms all contestants up and times them. */
    public static Rounds measure(List<? extends Contestant> contestants, Clock clock, Schedule schedule) {
        return new Interleaving(contestants, clock, schedule).measure();
    }

    private Rounds measure() {
        WarmUp warmUp = new WarmUp(contestants, clock, schedule);
        int[] steps = new int[contestants.size()];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = (int) Math.max(1, Math.ceil(schedule.turn().toNanos() / warmUp.fastest(i)));
        }
        return new Rounds(transposed(rounds(steps)), warmUp.settled());
    }

    /** Returns, for every round, the nanoseconds of one step of every contestant. */
    private List<double[]> rounds(int[] steps) {
        List<Integer> order = new ArrayList<>();
        for (int contestant = 0; contestant < steps.length; contestant++) {
            order.add(contestant);
        }
        Random random = new Random(SEED);
        List<double[]> rounds = new ArrayList<>();
        long start = System.nanoTime();
        while (rounds.size() < schedule.leastRounds()
                || System.nanoTime() - start < schedule.measured().toNanos()) {
            Collections.shuffle(order, random);
            double[] nanos = new double[steps.length];
            for (int contestant : order) {
                nanos[contestant] = turn(contestants.get(contestant), steps[contestant]);
            }
            rounds.add(nanos);
        }
        return rounds;
    }

    private double turn(Contestant contestant, int steps) {
        long start = clock.nanos();
        for (int step = 0; step < steps; step++) {
            contestant.step();
        }
        return (clock.nanos() - start) / (double) steps;
    }

    private static double[][] transposed(List<double[]> rounds) {
        double[][] transposed = new double[rounds.getFirst().length][rounds.size()];
        for (int round = 0; round < rounds.size(); round++) {
            for (int contestant = 0; contestant < transposed.length; contestant++) {
                transposed[contestant][round] = rounds.get(round)[contestant];
            }
        }
        return transposed;
    }
}
