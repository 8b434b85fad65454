package dev.attune.bench.compare;

import dev.attune.annotations.Backend;
import dev.attune.bench.measure.Rounds;
import java.util.List;

/**
 * What a comparison came to.
 *
 * @param comparison what was compared
 * @param contestants one per layer, in the comparison's order
 * @param rounds the times of the contestants, in that order, and last that of plain reading on as many threads
 * @param readBytes bytes that one step of plain reading reads
 */
public record Outcome(Comparison comparison, List<Contestant> contestants, Rounds rounds, long readBytes) {

    /** Copies the list. */
    public Outcome {
        contestants = List.copyOf(contestants);
        if (contestants.size() != comparison.layers().size() || rounds.nanos().length != contestants.size() + 1) {
            throw new IllegalArgumentException(comparison.layers().size() + " layers, " + contestants.size()
                    + " contestants and " + rounds.nanos().length + " rows of times do not belong together");
        }
    }

    /**
     * What is known of a layer's operation, besides its times.
     *
     * @param backend what it ran on
     * @param tokenHeads pairs of a token and a key-value head that one step handles
     * @param bytes bytes that one step must move
     * @param allocatedBytes heap bytes that one step allocated
     */
    public record Contestant(Backend backend, long tokenHeads, long bytes, long allocatedBytes) {}

    /** Returns the index of plain reading among the rounds' times. */
    public int reader() {
        return contestants.size();
    }
}
