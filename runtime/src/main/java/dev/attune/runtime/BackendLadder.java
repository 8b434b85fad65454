package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Chooses a backend: the forced one, else the widest generated vectors the machine prefers, else plain Java. Every
 * backend gets a rung with its reason, whatever is chosen.
 */
final class BackendLadder {

    /** From the widest vectors down. */
    private static final List<Backend> ORDER =
            List.of(Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR);

    private final KernelProvider provider;
    private final Optional<ForcedBackend> forced;
    private final Platform platform;

    private final List<Rung> rungs = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private Backend chosen;
    private AttentionKernels kernels;
    private LinkageError linkage;

    private BackendLadder(KernelProvider provider, Optional<ForcedBackend> forced, Platform platform) {
        this.provider = provider;
        this.forced = forced;
        this.platform = platform;
    }

    /**
     * Chooses a backend and creates its first kernels.
     *
     * @throws IllegalStateException if the forced backend is unavailable; the message says why
     */
    static BackendChoice climb(KernelProvider provider, Optional<ForcedBackend> forced, Platform platform) {
        return new BackendLadder(provider, forced, platform).climb();
    }

    private BackendChoice climb() {
        for (Backend backend : ORDER) {
            String reason = forced.isPresent() && forced.get().backend() != backend
                    ? "not tried, " + BackendName.of(forced.get().backend()) + " is forced by " + forced.get().source()
                    : reason(backend);
            rungs.add(new Rung(backend, backend == chosen, reason));
        }
        if (chosen == null) {
            throw unavailable();
        }
        return new BackendChoice(chosen, kernels, rungs, warnings);
    }

    /** Says why a backend is chosen or not; if it is, the kernels are there afterwards. */
    private String reason(Backend backend) {
        if (!provider.backends().contains(backend)) {
            return "not generated for this specification";
        }
        if (backend.usesVectors() && !platform.vectorModuleResolved()) {
            String reason = "module " + Platform.VECTOR_MODULE + " is not resolved; add --add-modules "
                    + Platform.VECTOR_MODULE + " to the java command";
            if (!warnings.contains(reason)) {
                warnings.add(reason);
            }
            return reason;
        }
        if (backend.usesVectors() && backend.vectorBits() > platform.preferredVectorBits()) {
            return "wider than the " + platform.preferredVectorBits() + " bits this machine prefers";
        }
        if (chosen != null) {
            return "not needed, " + BackendName.of(chosen) + " is " + (backend.usesVectors() ? "wider" : "faster");
        }
        // Whoever forces a backend need not wait for a measurement.
        if (forced.isEmpty() && provider.strategy(backend) == Strategy.PERMUTE && !platform.permutesCompiled()) {
            return "its kernels look entries up by permutes of two vectors, which this JVM does not compile to"
                    + " instructions: measured, looking entries up one by one is faster";
        }
        try {
            kernels = provider.create(backend);
        } catch (LinkageError error) {
            linkage = error;
            String reason = "its generated class does not link (" + error + ")";
            warnings.add(BackendName.of(backend) + ": " + reason);
            return reason;
        }
        chosen = backend;
        if (forced.isPresent()) {
            return "forced by " + forced.get().source();
        }
        return backend.usesVectors()
                ? "the widest generated vectors within the " + platform.preferredVectorBits()
                        + " bits this machine prefers"
                : "plain Java, always available";
    }

    private IllegalStateException unavailable() {
        String specification = provider.specification().getName();
        if (forced.isEmpty()) {
            return new IllegalStateException("no backend is available for " + specification + ": " + rungs, linkage);
        }
        Rung rung = rungs.get(ORDER.indexOf(forced.get().backend()));
        return new IllegalStateException(
                "a backend is forced by " + forced.get().source() + " but unavailable for " + specification + "; "
                        + rung,
                linkage);
    }
}
