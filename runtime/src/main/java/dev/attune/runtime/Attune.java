package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Where to start: finds the kernels generated for a specification and chooses a backend.
 *
 * <pre>{@code
 * LayerKernels kernels = Attune.kernels(Llama31Attention.class);
 * try (KeyValueCache cache = kernels.newCache(131_072)) {
 *     cache.prefill(keys, values, windowQueries);
 *     cache.append(key, value);
 *     cache.attend(queries, output);
 * }
 * }</pre>
 *
 * <p>The choice, in this order: the backend passed as an argument; the one named by the system property
 * {@code attune.backend} ({@code scalar}, {@code vector128}, {@code vector256}, {@code vector512} or {@code opencl});
 * OpenCL, if it was generated and there is a graphics processor or another accelerator; the widest generated vectors that
 * this machine prefers, if the JVM runs with {@code --add-modules jdk.incubator.vector}; plain Java.
 * {@link LayerKernels#ladder()} gives the reasons, and the logger {@code dev.attune} records the choice.
 *
 * <p>Caches work on as many threads as the JVM sees processors, or as many as the system property
 * {@code attune.threads}, else the environment variable {@code ATTUNE_THREADS}, says;
 * {@link LayerKernels#withThreads(int)} sets another number. Attune never adds a thread of its own while so many are at
 * work for caches of this process, callers included.
 */
public final class Attune {

    private static final Platform PLATFORM = new RunningPlatform();

    private Attune() {}

    /**
     * Returns the kernels of a specification on the best backend.
     *
     * @param specification the interface annotated with {@code @AttentionSpec}
     * @throws IllegalStateException if no generated kernels are found, or the system property forces a backend that is
     *     unavailable
     * @throws IllegalArgumentException if the system property names no backend, or a setting no number of threads
     */
    public static LayerKernels kernels(Class<?> specification) {
        Objects.requireNonNull(specification, "specification is null");
        return kernels(ProviderSearch.find(specification));
    }

    /**
     * Returns the kernels of a specification on one backend. The system property has no say.
     *
     * @param specification the interface annotated with {@code @AttentionSpec}
     * @param backend the backend
     * @throws IllegalStateException if no generated kernels are found, or the backend is unavailable; the message says
     *     why
     * @throws IllegalArgumentException if a setting names no number of threads
     */
    public static LayerKernels kernels(Class<?> specification, Backend backend) {
        Objects.requireNonNull(specification, "specification is null");
        Objects.requireNonNull(backend, "backend is null");
        return LayerKernels.choose(
                ProviderSearch.find(specification), Optional.of(ForcedBackend.byArgument(backend)), PLATFORM);
    }

    /**
     * Returns the kernels of a provider on the best backend, without searching: for modular applications, and where
     * several class loaders are at work.
     *
     * @param provider the generated factory, for example {@code new Llama31AttentionKernels()}
     * @throws IllegalStateException if the system property forces a backend that is unavailable
     * @throws IllegalArgumentException if the system property names no backend, or a setting no number of threads
     */
    public static LayerKernels kernels(KernelProvider provider) {
        Objects.requireNonNull(provider, "provider is null");
        return LayerKernels.choose(provider, ForcedBackend.byProperty(), PLATFORM);
    }

    /**
     * Returns the kernels of a provider on one backend, without searching. The system property has no say.
     *
     * @param provider the generated factory, for example {@code new Llama31AttentionKernels()}
     * @param backend the backend
     * @throws IllegalStateException if the backend is unavailable; the message says why
     */
    public static LayerKernels kernels(KernelProvider provider, Backend backend) {
        Objects.requireNonNull(provider, "provider is null");
        Objects.requireNonNull(backend, "backend is null");
        return LayerKernels.choose(provider, Optional.of(ForcedBackend.byArgument(backend)), PLATFORM);
    }

    /**
     * Returns all providers the thread's context class loader sees, sorted by the specification's name. One that cannot
     * be loaded, or whose specification cannot, is left out, with a warning in the log of {@code dev.attune}.
     */
    public static List<KernelProvider> providers() {
        return ProviderSearch.all();
    }
}
