package dev.attune.bench.report;

import dev.attune.annotations.Backend;
import dev.attune.annotations.NumberFormat;
import dev.attune.bench.compare.Comparison;
import dev.attune.bench.compare.Outcome;
import dev.attune.bench.layers.Layers;
import dev.attune.bench.layers.Pruning;
import dev.attune.bench.measure.Rounds;
import dev.attune.bench.workload.Operation;
import java.util.List;

/** A made-up outcome whose figures are known. */
final class Outcomes {

    private Outcomes() {}

    /**
     * 1000 pairs of tokens and heads; dense, 512 bytes each, then K + V 0.8, 200 bytes each. Reading takes 1 ns for 40
     * bytes in every round. Dense takes 16, 32 and 16 ns, the other 8, 8 and 4 ns.
     */
    static Outcome decodeStep() {
        Comparison comparison = new Comparison(
                Operation.DECODE_STEP,
                128,
                4,
                32_768,
                1,
                List.of(
                        Layers.get(128, 4, Pruning.DENSE, NumberFormat.BFLOAT16),
                        Layers.get(128, 4, Pruning.KEYS_80_VALUES_80, NumberFormat.BFLOAT16)));
        double[][] nanos = {{16_000, 32_000, 16_000}, {8_000, 8_000, 4_000}, {1_000, 1_000, 1_000}};
        return new Outcome(
                comparison,
                List.of(
                        new Outcome.Contestant(Backend.VECTOR_512, 1000, 512_000, 0),
                        new Outcome.Contestant(Backend.SCALAR, 1000, 200_000, 64)),
                new Rounds(nanos, true),
                40_000);
    }
}
