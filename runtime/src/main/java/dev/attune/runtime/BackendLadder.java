package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Chooses a backend: the forced one, else OpenCL on a graphics processor or another accelerator if that was generated,
 * else the widest generated vectors the machine prefers, else plain Java. Every backend gets a rung with its reason,
 * whatever is chosen; OpenCL only where it was generated or is forced.
 */
final class BackendLadder {

    /** OpenCL, then from the widest vectors down. */
    private static final List<Backend> ORDER =
            List.of(Backend.OPENCL, Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR);

    private final KernelProvider provider;
    private final Optional<ForcedBackend> forced;
    private final Platform platform;

    private final List<Rung> rungs = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private Backend chosen;
    private AttentionKernels kernels;
    private List<LayerProgram> programs = List.of();
    private Throwable failure;

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
            if (backend == Backend.OPENCL && !generated(backend) && !isForced(backend)) {
                continue;
            }
            String reason = forced.isPresent() && forced.get().backend() != backend
                    ? "not tried, " + BackendName.of(forced.get().backend()) + " is forced by " + forced.get().source()
                    : reason(backend);
            rungs.add(new Rung(backend, backend == chosen, reason));
        }
        if (chosen == null) {
            throw unavailable();
        }
        return new BackendChoice(chosen, kernels, programs, rungs, warnings);
    }

    /** Says why a backend is chosen or not; if it is, the kernels are there afterwards. */
    private String reason(Backend backend) {
        if (!generated(backend)) {
            return "not generated for this specification";
        }
        if (backend == Backend.OPENCL) {
            return openClReason();
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
            boolean wider = backend.usesVectors() && chosen.usesVectors();
            return "not needed, " + BackendName.of(chosen) + " is " + (wider ? "wider" : "faster");
        }
        // Whoever forces a backend need not wait for a measurement.
        if (forced.isEmpty() && provider.strategy(backend) == Strategy.PERMUTE && !platform.permutesCompiled()) {
            return "its kernels look entries up by permutes of two vectors, which this JVM does not compile to"
                    + " instructions: measured, looking entries up one by one is faster";
        }
        try {
            kernels = provider.create(backend);
        } catch (LinkageError error) {
            failure = error;
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

    private String openClReason() {
        OpenClSupport support = platform.openCl();
        if (!support.available()) {
            warnings.add(support.obstacle());
            return support.obstacle();
        }
        if (support.processor() && forced.isEmpty()) {
            return "not needed, the device is a processor, which Java kernels serve better: " + support.devices();
        }
        try {
            programs = DevicePrograms.of(provider);
            kernels = provider.create(Backend.SCALAR);
        } catch (OpenClException | LinkageError error) {
            failure = error;
            String reason = "its program cannot be used (" + error.getMessage() + ")";
            warnings.add(BackendName.of(Backend.OPENCL) + ": " + reason);
            return reason;
        }
        chosen = Backend.OPENCL;
        return (forced.isPresent() ? "forced by " + forced.get().source() + ", on " : "on ") + support.devices();
    }

    private boolean generated(Backend backend) {
        return provider.backends().contains(backend);
    }

    private boolean isForced(Backend backend) {
        return forced.isPresent() && forced.get().backend() == backend;
    }

    private IllegalStateException unavailable() {
        String specification = provider.specification().getName();
        if (forced.isEmpty()) {
            return new IllegalStateException("no backend is available for " + specification + ": " + rungs, failure);
        }
        Rung rung = rungs.stream()
                .filter(candidate -> isForced(candidate.backend()))
                .findFirst()
                .orElseThrow();
        return new IllegalStateException(
                "a backend is forced by " + forced.get().source() + " but unavailable for " + specification + "; "
                        + rung,
                failure);
    }
}
