package dev.attune.bench.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.NumberFormat;
import dev.attune.bench.layers.Pruning;
import dev.attune.bench.workload.Operation;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SelectionTest {

    private static Selection selection(List<Operation> operations, Set<Pruning> prunings, Set<NumberFormat> formats) {
        return new Selection(
                operations, List.of(64, 128), List.of(1, 4), List.of(4096, 131_072), List.of(1, 2), prunings, formats);
    }

    @Test
    void aDecodeStepIsComparedInEveryCombination() {
        Selection selection = selection(
                List.of(Operation.DECODE_STEP), Set.of(Pruning.values()), Set.of(NumberFormat.BFLOAT16));
        List<Comparison> comparisons = selection.comparisons();
        assertEquals(2 * 2 * 2 * 2, Set.copyOf(comparisons).size());
        assertTrue(comparisons.stream().allMatch(comparison -> comparison.layers().size() == 3));
    }

    @Test
    void packingIsComparedOncePerHeadDimensionAndNumberOfThreads() {
        Selection selection = selection(
                List.of(Operation.PACK_KEYS), Set.of(Pruning.values()), Set.of(NumberFormat.BFLOAT16));
        assertEquals(2 * 2, selection.comparisons().size());
        assertTrue(selection.comparisons().stream().allMatch(comparison -> comparison.contextTokens() == 32_768));
    }

    @Test
    void denseBfloat16IsAlwaysThereAndFirst() {
        Selection selection = selection(
                List.of(Operation.DECODE_STEP), Set.of(Pruning.DENSE), Set.of(NumberFormat.FLOAT32));
        for (Comparison comparison : selection.comparisons()) {
            assertEquals(0, comparison.baseline());
            assertEquals(
                    List.of(NumberFormat.BFLOAT16, NumberFormat.FLOAT32),
                    comparison.layers().stream().map(layer -> layer.format()).toList());
        }
    }

    @Test
    void layersOfAComparisonShareItsShape() {
        Selection selection = selection(
                List.of(Operation.values()), Set.of(Pruning.values()), Set.of(NumberFormat.values()));
        for (Comparison comparison : selection.comparisons()) {
            comparison.layers().forEach(layer -> {
                assertEquals(comparison.headDim(), layer.headDim());
                assertEquals(comparison.groupSize(), layer.groupSize());
            });
        }
    }
}
