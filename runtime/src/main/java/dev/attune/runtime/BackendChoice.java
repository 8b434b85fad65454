package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.AttentionKernels;
import java.util.List;

/**
 * The outcome of climbing the ladder.
 *
 * @param backend the chosen backend
 * @param kernels its first kernels
 * @param ladder every backend with its reason, the widest vectors first
 * @param warnings what kept a faster backend from being used, if a user can do something about it
 */
record BackendChoice(Backend backend, AttentionKernels kernels, List<Rung> ladder, List<String> warnings) {

    BackendChoice {
        ladder = List.copyOf(ladder);
        warnings = List.copyOf(warnings);
    }

    /** Returns the chosen rung. */
    Rung chosen() {
        return ladder.stream().filter(Rung::chosen).findFirst().orElseThrow();
    }
}
