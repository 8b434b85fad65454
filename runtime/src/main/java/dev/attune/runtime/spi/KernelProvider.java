package dev.attune.runtime.spi;

import dev.attune.annotations.Backend;
import java.util.List;
import java.util.Optional;

/**
 * The generated factory of one specification's kernels; stateless and thread-safe.
 *
 * <p>Generated as {@code FooKernels} for an interface {@code Foo} and listed for {@link java.util.ServiceLoader}.
 */
public interface KernelProvider {

    /** Returns the annotated interface. */
    Class<?> specification();

    /** Returns the numbers of the specification. */
    LayerShape shape();

    /** Returns the layout of the packed cache, the same for every backend. */
    CacheLayout layout();

    /** Returns what tells these kernels from others of the same name. */
    Fingerprint fingerprint();

    /**
     * Returns the generated variants: OpenCL, then the widest vectors first, and {@link Backend#SCALAR} last. The first
     * one of a backend is its default.
     */
    List<KernelVariant> variants();

    /**
     * Creates the Java kernels of a variant; those of {@link Backend#OPENCL} are {@link #openCl()}. Loads the classes
     * of that variant's backend only, so that no Vector API class is touched unless a vector backend is asked for.
     *
     * @throws IllegalArgumentException if the variant was not generated for this specification
     */
    AttentionKernels create(KernelVariant variant);

    /** Returns choices measured before compilation, the more fitting first; none unless a profile was given. */
    default List<TunedChoice> tunedChoices() {
        return List.of();
    }

    /** Returns the OpenCL program, if one was generated for this specification. */
    default Optional<OpenClKernels> openCl() {
        return Optional.empty();
    }

    /** Returns the generated backends, in the order of their variants. */
    default List<Backend> backends() {
        return variants().stream().map(KernelVariant::backend).distinct().toList();
    }

    /**
     * Returns a backend's default variant.
     *
     * @throws IllegalArgumentException if the backend was not generated for this specification
     */
    default KernelVariant variant(Backend backend) {
        return variants().stream()
                .filter(variant -> variant.backend() == backend)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(specification().getName() + " has no kernels for "
                        + backend + "; add it to the backends of its specification"));
    }

    /**
     * Creates the Java kernels of a backend's default variant.
     *
     * @throws IllegalArgumentException if the backend was not generated for this specification, or is OpenCL
     */
    default AttentionKernels create(Backend backend) {
        return create(variant(backend));
    }
}
