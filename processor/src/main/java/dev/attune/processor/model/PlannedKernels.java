package dev.attune.processor.model;

import java.util.List;

/**
 * The kernels of a specification, as far as measurements refer to them.
 *
 * @param fingerprint what tells them from other kernels of that name
 * @param variants the names of all variants, each backend's default first among its own
 */
public record PlannedKernels(SourceFingerprint fingerprint, List<String> variants) {

    /** Copies the list of variants. */
    public PlannedKernels {
        variants = List.copyOf(variants);
    }
}
