package dev.attune.runtime;

import dev.attune.runtime.spi.KernelVariant;
import java.util.List;

/**
 * Which kernels decode caches of which length. Changes as a whole while decode steps go on: each takes the kernels it
 * began with to its end, so that no step mixes variants.
 */
final class DecodeSchedule {

    private volatile List<Stage> stages;

    /**
     * Kernels for caches of about one length.
     *
     * @param contextTokens tokens, a power of two
     * @param variant the kernels' variant
     * @param workspaces kernels of that variant, to be lent
     */
    record Stage(int contextTokens, KernelVariant variant, LendingPool<Workspace> workspaces) {}

    /**
     * Creates a schedule.
     *
     * @param stages at least one
     */
    DecodeSchedule(List<Stage> stages) {
        replace(stages);
    }

    /** Takes another list of stages, at least one, for the decode steps that begin from now on. */
    void replace(List<Stage> stages) {
        if (stages.isEmpty()) {
            throw new IllegalArgumentException("a schedule needs a stage");
        }
        this.stages = List.copyOf(stages);
    }

    /** Returns the stage whose length is nearest, counted in doublings, to that of a cache; of two the first. */
    Stage forTokens(int tokens) {
        List<Stage> now = stages;
        Stage nearest = now.getFirst();
        for (int i = 1; i < now.size(); i++) {
            if (doublings(now.get(i), tokens) < doublings(nearest, tokens)) {
                nearest = now.get(i);
            }
        }
        return nearest;
    }

    private static int doublings(Stage stage, int tokens) {
        return Math.abs(
                Integer.numberOfLeadingZeros(stage.contextTokens) - Integer.numberOfLeadingZeros(Math.max(tokens, 1)));
    }
}
