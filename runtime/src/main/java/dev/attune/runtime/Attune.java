package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import java.util.List;
import java.util.Objects;

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
 * <p>The choice, in this order: the backend or policy passed as an argument; what the
 * {@linkplain KernelPolicy settings of the process} force; what was measured to be the fastest on this machine; OpenCL,
 * if it was generated and there is a graphics processor or another accelerator; the widest generated vectors that this
 * machine prefers, if the JVM runs with {@code --add-modules jdk.incubator.vector}; plain Java.
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
     * @throws IllegalStateException if no generated kernels are found, or a setting forces a variant that is
     *     unavailable
     * @throws IllegalArgumentException if a setting has a value it cannot have
     */
    public static LayerKernels kernels(Class<?> specification) {
        Objects.requireNonNull(specification, "specification is null");
        return kernels(ProviderSearch.find(specification));
    }

    /**
     * Returns the kernels of a specification on one backend. The settings of the process have no say.
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
        return kernels(ProviderSearch.find(specification), backend);
    }

    /**
     * Returns the kernels of a provider on the best backend, without searching: for modular applications, and where
     * several class loaders are at work.
     *
     * @param provider the generated factory, for example {@code new Llama31AttentionKernels()}
     * @throws IllegalStateException if a setting forces a variant that is unavailable
     * @throws IllegalArgumentException if a setting has a value it cannot have
     */
    public static LayerKernels kernels(KernelProvider provider) {
        Objects.requireNonNull(provider, "provider is null");
        return LayerKernels.choose(provider, KernelPolicy.ofProcess(), PLATFORM);
    }

    /**
     * Returns the kernels of a provider on one backend, without searching. The settings of the process have no say.
     *
     * @param provider the generated factory, for example {@code new Llama31AttentionKernels()}
     * @param backend the backend
     * @throws IllegalStateException if the backend is unavailable; the message says why
     */
    public static LayerKernels kernels(KernelProvider provider, Backend backend) {
        Objects.requireNonNull(provider, "provider is null");
        Objects.requireNonNull(backend, "backend is null");
        var argument = new KernelPolicy.Insistence(BackendName.of(backend), "the argument of Attune.kernels");
        return kernels(provider, KernelPolicy.free().forcing(argument));
    }

    /**
     * Returns the kernels of a specification that a policy allows and prefers. The settings of the process have no say.
     *
     * @param specification the interface annotated with {@code @AttentionSpec}
     * @param policy what to insist on
     * @throws IllegalStateException if no generated kernels are found, what is forced is unavailable, or a strict
     *     policy would have to step down; the message says why
     * @throws IllegalArgumentException if the policy names a variant that was not generated
     */
    public static LayerKernels kernels(Class<?> specification, KernelPolicy policy) {
        Objects.requireNonNull(specification, "specification is null");
        Objects.requireNonNull(policy, "policy is null");
        return kernels(ProviderSearch.find(specification), policy);
    }

    /**
     * Returns the kernels of a provider that a policy allows and prefers, without searching. The settings of the
     * process have no say.
     *
     * @param provider the generated factory, for example {@code new Llama31AttentionKernels()}
     * @param policy what to insist on
     * @throws IllegalStateException if what is forced is unavailable, or a strict policy would have to step down; the
     *     message says why
     * @throws IllegalArgumentException if the policy names a variant that was not generated
     */
    public static LayerKernels kernels(KernelProvider provider, KernelPolicy policy) {
        Objects.requireNonNull(provider, "provider is null");
        Objects.requireNonNull(policy, "policy is null");
        return LayerKernels.choose(provider, policy, PLATFORM);
    }

    /**
     * Returns the provider of a specification.
     *
     * @param specification the interface annotated with {@code @AttentionSpec}
     * @throws IllegalStateException if no generated kernels are found
     */
    public static KernelProvider provider(Class<?> specification) {
        Objects.requireNonNull(specification, "specification is null");
        return ProviderSearch.find(specification);
    }

    /** Returns what is known of the JVM we are running on. */
    static Platform platform() {
        return PLATFORM;
    }

    /**
     * Returns all providers the thread's context class loader sees, sorted by the specification's name. One that cannot
     * be loaded, or whose specification cannot, is left out, with a warning in the log of {@code dev.attune}.
     */
    public static List<KernelProvider> providers() {
        return ProviderSearch.all();
    }
}
