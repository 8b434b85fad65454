package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import dev.attune.runtime.opencl.LayerProgram;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Chooses a variant: the forced one, else the one that was measured to be the fastest, else OpenCL on a graphics
 * processor or another accelerator if that was generated, else the widest generated vectors the machine prefers and
 * whose operations its JVM compiles, else plain Java. Every variant gets a rung with its reason, whatever is chosen;
 * OpenCL only where it was generated or is forced.
 */
final class VariantLadder {

    /** OpenCL, then from the widest vectors down. */
    private static final List<Backend> ORDER =
            List.of(Backend.OPENCL, Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128, Backend.SCALAR);

    /** Of four heads that a row has room for, so many make rows worth their while. */
    private static final int HEADS_OF_ROWS = 3;

    private final KernelProvider provider;
    private final KernelPolicy policy;
    private final Measured measured;
    private final Platform platform;

    /** What is known to speak against variants so far. */
    private final Map<KernelVariant, String> obstacles = new LinkedHashMap<>();

    private final List<String> warnings = new ArrayList<>();
    private KernelVariant chosen;
    private String reason;
    private AttentionKernels kernels;
    private List<LayerProgram> programs = List.of();
    private Throwable failure;

    private VariantLadder(KernelProvider provider, KernelPolicy policy, Measured measured, Platform platform) {
        this.provider = provider;
        this.policy = policy;
        this.measured = measured;
        this.platform = platform;
    }

    /**
     * What measurements on this machine say.
     *
     * @param fastest name of the fastest variant; nothing if it was not measured
     * @param source where that is known from, in words that follow "measured"
     * @param refused variants that computed something wrong, by name, and what
     */
    record Measured(Optional<String> fastest, String source, Map<String, String> refused) {

        static final Measured NOTHING = new Measured(Optional.empty(), "", Map.of());
    }

    /**
     * Chooses a variant and creates its first kernels.
     *
     * @throws IllegalStateException if the forced variant is unavailable, or a strict policy's best is; the message
     *     says why
     * @throws IllegalArgumentException if the policy names a variant that was not generated
     */
    static VariantChoice climb(KernelProvider provider, KernelPolicy policy, Measured measured, Platform platform) {
        return new VariantLadder(provider, policy, measured, platform).climb();
    }

    private VariantChoice climb() {
        policy.mentioned().forEach(this::requireKnown);
        Optional<KernelPolicy.Insistence> forced = policy.forced();
        if (forced.isPresent()) {
            force(forced.get());
        } else {
            choose();
        }
        List<Rung> rungs = rungs();
        if (policy.strict() && !warnings.isEmpty()) {
            throw new IllegalStateException(provider.specification().getName() + " would run on " + chosen
                    + ", but a strict policy allows no step down: " + String.join("; ", warnings), failure);
        }
        return new VariantChoice(chosen, kernels, programs, rungs, warnings);
    }

    private void force(KernelPolicy.Insistence forced) {
        Optional<KernelVariant> variant = provider.variants().stream().filter(forced::names).findFirst();
        Optional<String> obstacle = variant.isEmpty()
                ? Optional.of(notGenerated())
                : obstacle(variant.get()).or(() -> create(variant.get()));
        if (obstacle.isPresent()) {
            throw new IllegalStateException(
                    "a backend is forced by " + forced.source() + " but unavailable for "
                            + provider.specification().getName() + "; " + forced.name() + ": " + obstacle.get(),
                    failure);
        }
        reason = "forced by " + forced.source() + (programs.isEmpty() ? "" : ", on " + platform.openCl().devices());
    }

    private void choose() {
        Optional<KernelVariant> fastest = measured.fastest().flatMap(name -> KnownVariants.variant(provider, name));
        if (fastest.isPresent()
                && obstacle(fastest.get()).or(() -> create(fastest.get())).isEmpty()) {
            reason = "measured, " + measured.source();
            return;
        }
        for (Backend backend : ORDER) {
            for (KernelVariant variant : ordered(backend)) {
                if (!onProcessor(variant)
                        && obstacle(variant).or(() -> unsuited(variant)).or(() -> create(variant)).isEmpty()) {
                    reason = reasonByRank(variant);
                    return;
                }
            }
        }
        throw new IllegalStateException(
                "no backend is available for " + provider.specification().getName() + ": " + obstacles, failure);
    }

    /** Returns the variants of a backend, the one to be tried first in front. */
    private List<KernelVariant> ordered(Backend backend) {
        List<KernelVariant> variants = new ArrayList<>(of(backend));
        variants.stream().filter(this::preferred).findFirst().ifPresent(rows -> {
            variants.remove(rows);
            variants.addFirst(rows);
        });
        return variants;
    }

    private List<KernelVariant> of(Backend backend) {
        return provider.variants().stream()
                .filter(variant -> variant.backend() == backend)
                .toList();
    }

    /**
     * Tells rows of heads that are faster than their backend's default: a vector of 128 bits is as long as a row, so
     * that a permute brings less; longer ones need permutes that are an instruction or two.
     */
    private boolean preferred(KernelVariant variant) {
        return variant.backend().usesVectors()
                && variant.strategy() == Strategy.GATHER
                && variant.headGroup() >= HEADS_OF_ROWS
                && obstacle(variant).isEmpty()
                && (variant.backend() == Backend.VECTOR_128 || !platform.compiles(VectorOperation.QUICK_PERMUTE));
    }

    /** Says what rules a variant out here, whoever asks for it; costs little. */
    private Optional<String> obstacle(KernelVariant variant) {
        Backend backend = variant.backend();
        Optional<String> obstacle = policy.forbidden(variant).map(source -> "forbidden by " + source);
        if (obstacle.isEmpty() && measured.refused().containsKey(variant.name())) {
            obstacle = Optional.of("refused, it failed verification on this machine: "
                    + measured.refused().get(variant.name()));
            warn(variant + ": " + obstacle.get());
        } else if (obstacle.isEmpty() && backend == Backend.OPENCL && !platform.openCl().available()) {
            obstacle = Optional.of(platform.openCl().obstacle());
            warn(obstacle.get());
        } else if (obstacle.isEmpty() && backend.usesVectors() && !platform.vectorModuleResolved()) {
            obstacle = Optional.of("module " + Platform.VECTOR_MODULE + " is not resolved; add --add-modules "
                    + Platform.VECTOR_MODULE + " to the java command");
            warn(obstacle.get());
        } else if (obstacle.isEmpty()
                && backend.usesVectors()
                && backend.vectorBits() > platform.preferredVectorBits()) {
            obstacle = Optional.of("wider than the " + platform.preferredVectorBits() + " bits this machine prefers");
        }
        obstacle.ifPresent(words -> obstacles.put(variant, words));
        return obstacle;
    }

    /** Tells a variant that can run here, and be measured, but is not chosen unless somebody insists or it won. */
    private boolean onProcessor(KernelVariant variant) {
        return variant.backend() == Backend.OPENCL && platform.openCl().available() && platform.openCl().processor();
    }

    /** Says why a variant is not worth being chosen, nor being measured, where nobody insists. */
    private Optional<String> unsuited(KernelVariant variant) {
        Optional<String> reason = Optional.empty();
        if (variant.backend().usesVectors()) {
            reason = operations(variant).stream()
                    .filter(operation -> !platform.compiles(operation))
                    .findFirst()
                    .map(VariantLadder::notCompiled);
        }
        reason.ifPresent(words -> obstacles.put(variant, words));
        return reason;
    }

    /** Returns the operations that a variant's kernels are built on, of those that not every JVM compiles. */
    private static Set<VectorOperation> operations(KernelVariant variant) {
        if (variant.strategy() == Strategy.PERMUTE) {
            return EnumSet.of(VectorOperation.PERMUTE, VectorOperation.MULTIPLY_ADD);
        }
        return variant.backend() == Backend.VECTOR_128
                ? EnumSet.of(VectorOperation.ARITHMETIC)
                : EnumSet.of(VectorOperation.MULTIPLY_ADD, VectorOperation.ARITHMETIC);
    }

    private static String notCompiled(VectorOperation operation) {
        return switch (operation) {
            case PERMUTE, QUICK_PERMUTE -> "its kernels look entries up by permutes of two vectors, which a measurement"
                    + " says this JVM does not compile to instructions";
            case MULTIPLY_ADD -> "its kernels multiply and add at once, which a measurement says this JVM does not"
                    + " compile to an instruction";
            case ARITHMETIC -> "its kernels compare, widen and take maxima of vectors, which a measurement says this"
                    + " JVM does not compile to instructions";
        };
    }

    /** Makes kernels of a variant the chosen ones, or says why they cannot be made. */
    private Optional<String> create(KernelVariant variant) {
        String obstacle;
        try {
            if (variant.backend() == Backend.OPENCL) {
                programs = DevicePrograms.of(provider);
                kernels = provider.create(Backend.SCALAR);
            } else {
                kernels = provider.create(variant);
            }
            chosen = variant;
            return Optional.empty();
        } catch (OpenClException error) {
            failure = error;
            obstacle = "its program cannot be used (" + error.getMessage() + ")";
        } catch (LinkageError error) {
            failure = error;
            obstacle = "its generated class does not link (" + error + ")";
        }
        obstacles.put(variant, obstacle);
        warn(variant + ": " + obstacle);
        return Optional.of(obstacle);
    }

    private String reasonByRank(KernelVariant variant) {
        if (variant.backend() == Backend.OPENCL) {
            return "on " + platform.openCl().devices();
        }
        if (!variant.backend().usesVectors()) {
            return "plain Java, always available";
        }
        return "the widest generated vectors within the " + platform.preferredVectorBits()
                + " bits this machine prefers"
                + (variant.strategy() == Strategy.GATHER
                        ? " whose operations this JVM compiles: a row of heads at a time, which takes no permutes"
                        : "");
    }

    private List<Rung> rungs() {
        List<Rung> rungs = new ArrayList<>();
        for (Backend backend : ORDER) {
            List<KernelVariant> variants = of(backend);
            if (variants.isEmpty() && backend != Backend.OPENCL) {
                rungs.add(new Rung(BackendName.of(backend), backend, false, false, notGenerated()));
            }
            variants.forEach(variant -> rungs.add(rung(variant)));
        }
        return rungs;
    }

    private Rung rung(KernelVariant variant) {
        if (variant.equals(chosen)) {
            return new Rung(variant.name(), variant.backend(), true, true, reason);
        }
        if (policy.forced().isPresent()) {
            KernelPolicy.Insistence forced = policy.forced().get();
            return new Rung(variant.name(), variant.backend(), false, false,
                    "not tried, " + forced.name() + " is forced by " + forced.source());
        }
        Optional<String> obstacle = Optional.ofNullable(obstacles.get(variant))
                .or(() -> obstacle(variant))
                .or(() -> stillUnsuited(variant));
        return new Rung(
                variant.name(),
                variant.backend(),
                obstacle.isEmpty(),
                false,
                obstacle.orElseGet(() -> notNeeded(variant)));
    }

    /** Finds what is unsuited beneath rows of heads, which may be chosen because something else was not compiled. */
    private Optional<String> stillUnsuited(KernelVariant variant) {
        boolean byMeasurement = measured.fastest().equals(Optional.of(chosen.name()));
        return chosen.strategy() == Strategy.GATHER && !byMeasurement ? unsuited(variant) : Optional.empty();
    }

    private String notNeeded(KernelVariant variant) {
        if (measured.fastest().equals(Optional.of(chosen.name()))) {
            return "not needed, " + chosen + " was measured to be the fastest";
        }
        if (onProcessor(variant)) {
            return "not needed, the device is a processor, which Java kernels serve better: "
                    + platform.openCl().devices();
        }
        if (variant.backend() == chosen.backend()) {
            return "not needed, " + chosen
                    + (chosen.strategy() == Strategy.GATHER
                            ? " does without permutes, which are slow here"
                            : " is its backend's default")
                    + ", and nothing was measured here";
        }
        boolean wider = variant.backend().usesVectors() && chosen.backend().usesVectors();
        return "not needed, " + chosen + " is " + (wider ? "wider" : "faster");
    }

    private static String notGenerated() {
        return "not generated for this specification";
    }

    private void requireKnown(KernelPolicy.Insistence insistence) {
        boolean known = provider.variants().stream().anyMatch(insistence::names);
        if (!known && !BackendName.isOne(insistence.name())) {
            throw new IllegalArgumentException(insistence.source() + " = \"" + insistence.name()
                    + "\" is no backend or variant of " + provider.specification().getName() + "; valid are "
                    + provider.variants().stream().map(KernelVariant::name).collect(Collectors.joining(", ")));
        }
    }

    private void warn(String warning) {
        if (!warnings.contains(warning)) {
            warnings.add(warning);
        }
    }
}
