package dev.attune.bench.compare;

import dev.attune.bench.layers.Layer;
import dev.attune.bench.measure.Allocation;
import dev.attune.bench.measure.Clock;
import dev.attune.bench.measure.Contestant;
import dev.attune.bench.measure.Interleaving;
import dev.attune.bench.measure.Rounds;
import dev.attune.bench.measure.Schedule;
import dev.attune.bench.roofline.ReadBandwidth;
import dev.attune.bench.workload.RandomPrompt;
import dev.attune.bench.workload.Workload;
import java.util.ArrayList;
import java.util.List;

/** Runs one comparison: prepares every layer's operation, measures them and plain reading in the same rounds. */
public final class ComparisonRun {

    private ComparisonRun() {}

    /**
     * Runs a comparison.
     *
     * @param prompt tokens of the comparison's head dimension
     * @param reading plain reading on the comparison's number of threads
     * @param schedule how long to measure
     * @throws OutOfMemoryError if not all caches fit into memory at once
     */
    public static Outcome of(Comparison comparison, RandomPrompt prompt, ReadBandwidth reading, Schedule schedule) {
        List<Workload> workloads = new ArrayList<>();
        try {
            for (Layer layer : comparison.layers()) {
                workloads.add(comparison.operation().open(
                        layer, prompt, comparison.contextTokens(), comparison.threads()));
            }
            List<Contestant> contestants = new ArrayList<>(workloads);
            contestants.add(reading);
            Rounds rounds = Interleaving.measure(contestants, Clock.forThreads(comparison.threads()), schedule);
            List<Outcome.Contestant> known = workloads.stream()
                    .map(workload -> new Outcome.Contestant(
                            workload.backend(),
                            workload.tokenHeads(),
                            workload.bytes(),
                            Allocation.bytesPerStep(workload)))
                    .toList();
            return new Outcome(comparison, known, rounds, reading.bytes());
        } finally {
            workloads.forEach(Workload::close);
        }
    }
}
