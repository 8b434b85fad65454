package dev.attune.runtime.spi;

import dev.attune.annotations.Backend;
import dev.attune.annotations.Strategy;
import java.util.List;

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

    /** Returns the generated backends, the widest vectors first and {@link Backend#SCALAR} last. */
    List<Backend> backends();

    /**
     * Returns how the kernels of a backend look entries up, which decides whether they suit a machine.
     *
     * @throws IllegalArgumentException if the backend was not generated for this specification
     */
    Strategy strategy(Backend backend);

    /**
     * Creates the kernels of one backend. Loads that backend's class only, so that no Vector API class is touched
     * unless a vector backend is asked for.
     *
     * @throws IllegalArgumentException if the backend was not generated for this specification
     */
    AttentionKernels create(Backend backend);
}
