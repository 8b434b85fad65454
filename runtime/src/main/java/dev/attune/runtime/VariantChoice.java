package dev.attune.runtime;

import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelVariant;
import java.util.List;

/**
 * The outcome of climbing the ladder.
 *
 * @param variant the chosen variant
 * @param kernels its first kernels; with OpenCL plain Java ones, for inspection
 * @param programs its programs, one for each device; empty unless it is OpenCL
 * @param ladder every variant with its reason, OpenCL first, then the widest vectors
 * @param warnings what kept a faster variant from being used, if a user can do something about it
 */
record VariantChoice(
        KernelVariant variant,
        AttentionKernels kernels,
        List<LayerProgram> programs,
        List<Rung> ladder,
        List<String> warnings) {

    VariantChoice {
        programs = List.copyOf(programs);
        ladder = List.copyOf(ladder);
        warnings = List.copyOf(warnings);
    }

    /** Returns the chosen rung. */
    Rung chosen() {
        return ladder.stream().filter(Rung::chosen).findFirst().orElseThrow();
    }
}
