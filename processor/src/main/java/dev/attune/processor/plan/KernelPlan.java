package dev.attune.processor.plan;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One way to write the kernels of a specification; together with the model it determines the text completely.
 *
 * @param model the specification
 * @param layout the bytes of its tiles
 * @param backend what the kernels run on
 * @param strategy how they look entries up
 * @param headGroup query heads that share one pass over the packed tokens
 * @param streams tiles, from as many places of the cache, that are read at once
 * @param readAheadTiles tiles that are read once, in order, before the kernels read them piecemeal; 0 for none
 * @param variant what sets the plan apart from its backend's default, {@code heads2-streams2}; empty for the default
 */
public record KernelPlan(
        AttentionModel model,
        TileLayout layout,
        Backend backend,
        Strategy strategy,
        int headGroup,
        int streams,
        int readAheadTiles,
        String variant) {

    /** How many ways of writing kernels are planned. */
    public enum Variants {

        /** Each backend's default, and the few others that are likely to be faster on one machine or another. */
        USUAL,

        /** Everything that registers and caches allow, for a search. */
        ALL
    }

    /**
     * Plans the Java classes of a specification: for each backend, the widest vectors first and the scalar oracle last,
     * its default and then the other variants.
     */
    public static List<KernelPlan> of(AttentionModel model, Variants variants) {
        TileLayout layout = TileLayout.of(model);
        List<KernelPlan> plans = new ArrayList<>();
        for (Backend backend : model.vectorBackends()) {
            PlanSpace space = new PlanSpace(model, layout, backend);
            plans.addAll(variants == Variants.ALL ? space.all() : space.usual());
        }
        plans.add(new KernelPlan(model, layout, Backend.SCALAR, Strategy.SCALAR, 1, 1, 0, ""));
        return List.copyOf(plans);
    }

    /** Returns whether this is the default of its backend, whose class also packs for the other variants. */
    public boolean isDefault() {
        return variant.isEmpty();
    }

    /** Returns whether kept entries and signs are looked up as rows that hold the numbers of several heads. */
    public boolean gathers() {
        return strategy == Strategy.GATHER;
    }

    /**
     * Returns whether kernels multiply and add in one instruction. All processors of 256 bits have it; of those that
     * prefer 128, some have neither it nor permutes of two vectors, and get kernels that take neither.
     */
    public boolean fuses() {
        return !(gathers() && backend == Backend.VECTOR_128);
    }

    /** Returns the sizes of the passes that cover all {@code G} query heads, for example 4 and 3 for 7 heads. */
    public List<Integer> passes() {
        List<Integer> passes = new ArrayList<>();
        for (int head = 0; head < model.groupSize(); head += headGroup) {
            passes.add(Math.min(headGroup, model.groupSize() - head));
        }
        return passes;
    }

    /** Returns the 32-bit lanes of a vector. */
    public int lanes() {
        return backend.vectorBits() / Integer.SIZE;
    }

    /** Returns what users call the kernels: {@code vector512} or {@code vector512-heads2-streams2}. */
    public String name() {
        String name = backend.name().replace("_", "").toLowerCase(Locale.ROOT);
        return isDefault() ? name : name + "-" + variant;
    }

    /** Returns the simple name of the generated class. */
    public String className() {
        StringBuilder camelCase = new StringBuilder();
        for (String part : variant.split("-")) {
            if (!part.isEmpty()) {
                camelCase.append(Character.toUpperCase(part.charAt(0))).append(part, 1, part.length());
            }
        }
        return model.kernelsName(backend, camelCase.toString());
    }
}
