package dev.attune.bench.compare;

import dev.attune.annotations.NumberFormat;
import dev.attune.bench.layers.Layer;
import dev.attune.bench.layers.Layers;
import dev.attune.bench.layers.Pruning;
import dev.attune.bench.workload.Operation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * What a user asked for. Every list has at least one entry.
 *
 * @param operations operations
 * @param headDims channels of a head
 * @param groupSizes query heads per key-value head
 * @param contexts tokens in the cache
 * @param threads numbers of threads
 * @param prunings what is pruned
 * @param formats number formats of kept entries; layers that do not exist in one are left out
 */
public record Selection(
        List<Operation> operations,
        List<Integer> headDims,
        List<Integer> groupSizes,
        List<Integer> contexts,
        List<Integer> threads,
        Set<Pruning> prunings,
        Set<NumberFormat> formats) {

    /** Packing takes the same time per token in any context; this many tokens do not fit the processor's caches. */
    private static final int LONGEST_PACKED_CONTEXT = 32_768;

    /** Copies the lists. */
    public Selection {
        operations = List.copyOf(operations);
        headDims = List.copyOf(headDims);
        groupSizes = List.copyOf(groupSizes);
        contexts = List.copyOf(contexts);
        threads = List.copyOf(threads);
        prunings = Set.copyOf(prunings);
        formats = Set.copyOf(formats);
    }

    /** Returns the most tokens of any cache. */
    public int longestContext() {
        return Collections.max(contexts);
    }

    /** Returns the comparisons of one head dimension, in the order of the table. */
    public List<Comparison> comparisons(int headDim) {
        List<Comparison> comparisons = new ArrayList<>();
        for (Operation operation : operations) {
            for (int threadCount : threads) {
                for (int context : contextsOf(operation)) {
                    for (int groupSize : operation.dependsOnContext() ? groupSizes : groupSizes.subList(0, 1)) {
                        comparisons.add(new Comparison(
                                operation, headDim, groupSize, context, threadCount, layers(headDim, groupSize)));
                    }
                }
            }
        }
        return comparisons;
    }

    /** Returns all comparisons. */
    public List<Comparison> comparisons() {
        return headDims.stream().flatMap(headDim -> comparisons(headDim).stream()).toList();
    }

    private List<Integer> contextsOf(Operation operation) {
        return operation.dependsOnContext() ? contexts : List.of(Math.min(LONGEST_PACKED_CONTEXT, longestContext()));
    }

    /** Returns the selected layers after the dense bfloat16 one, which everything is compared with. */
    private List<Layer> layers(int headDim, int groupSize) {
        List<Layer> layers = new ArrayList<>();
        layers.add(Layers.get(headDim, groupSize, Pruning.DENSE, NumberFormat.BFLOAT16));
        Layers.all().stream()
                .filter(layer -> layer.headDim() == headDim && layer.groupSize() == groupSize)
                .filter(layer -> prunings.contains(layer.pruning()) && formats.contains(layer.format()))
                .filter(layer -> !layer.isBaseline())
                .forEach(layers::add);
        return layers;
    }
}
