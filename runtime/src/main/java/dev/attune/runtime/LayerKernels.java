package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.tuning.StoreSettings;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningStore;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The kernels of one specification of the variant chosen for this machine; thread-safe. All layers of a model that
 * share a specification share one of these.
 */
public final class LayerKernels {

    private final KernelProvider provider;
    private final KernelPolicy policy;
    private final Platform platform;
    private final LayerShape shape;
    private final CacheLayout layout;
    private final VariantChoice choice;
    private final SharedResources resources;

    /** Lengths of caches, in powers of two, that were seen to in the background. */
    private final Set<Integer> lengths = ConcurrentHashMap.newKeySet();

    /** What the decode steps that begin now go by. */
    private KnownVariants known;

    /** What serves all caches that a device failed to hold; null until one did. */
    private LayerKernels onHost;

    private LayerKernels(KernelProvider provider, KernelPolicy policy, Platform platform, int threads) {
        this.known = known(provider, policy, platform, threads);
        this.provider = provider;
        this.policy = policy;
        this.platform = platform;
        this.shape = provider.shape();
        this.layout = provider.layout();
        this.choice = VariantLadder.climb(provider, policy, known.forLadder(), platform);
        this.resources = SharedResources.of(
                provider, javaVariant(), known.inHostMemory(choice.ladder()), WorkerPool.SHARED, threads);
        // The ladder has made kernels to see whether it can.
        resources.workspaces().release(Workspace.of(choice.kernels(), shape.headDim()));
    }

    /** Chooses a variant for as many threads as the process is set to, and logs the choice. */
    static LayerKernels choose(KernelProvider provider, KernelPolicy policy, Platform platform) {
        return choose(provider, policy, platform, ThreadCount.ofProcess());
    }

    private static LayerKernels choose(KernelProvider provider, KernelPolicy policy, Platform platform, int threads) {
        VerboseTopic.requireValid();
        if (policy.tuning() == KernelPolicy.Tuning.BACKGROUND) {
            BackgroundTuning.budget();
        }
        var kernels = new LayerKernels(provider, policy, platform, threads);
        ChoiceLog.log(provider.specification(), threads, kernels.choice);
        return kernels;
    }

    private static KnownVariants known(KernelProvider provider, KernelPolicy policy, Platform platform, int threads) {
        boolean asked = policy.forced().isEmpty() && policy.tuning() != KernelPolicy.Tuning.OFF;
        return asked
                ? KnownVariants.lookUp(provider, policy, platform.store(provider.openCl().isPresent()), threads)
                : KnownVariants.NONE;
    }

    /** Returns what serves caches in host memory. */
    private KernelVariant javaVariant() {
        return backend() == Backend.OPENCL ? provider.variant(Backend.SCALAR) : choice.variant();
    }

    /**
     * Returns the same kernels for caches that work on another number of threads. It takes the place of the system
     * property {@code attune.threads} and of the environment variable {@code ATTUNE_THREADS}.
     *
     * <p>A cache calls no helper while so many threads are at work for caches of this process, callers included.
     * Results of one variant do not depend on it; which variant is the fastest may. With 1 everything is done on the
     * caller's thread.
     *
     * @param threads 1 to 1024
     * @throws IllegalArgumentException if it is outside that range
     */
    public LayerKernels withThreads(int threads) {
        ThreadCount.require(threads, "threads");
        return threads == threads() ? this : choose(provider, policy, platform, threads);
    }

    /** Returns the annotated interface. */
    public Class<?> specification() {
        return provider.specification();
    }

    /** Returns the numbers of the specification. */
    public LayerShape shape() {
        return shape;
    }

    /** Returns the layout of the packed cache. */
    public CacheLayout layout() {
        return layout;
    }

    /** Returns the chosen variant. */
    public KernelVariant variant() {
        return choice.variant();
    }

    /** Returns the chosen variant's backend. */
    public Backend backend() {
        return choice.variant().backend();
    }

    /** Returns how many threads may work on caches at once. */
    public int threads() {
        return resources.threads();
    }

    /** Returns every variant with the reason why it was chosen or not: the widest vectors first. */
    public List<Rung> ladder() {
        return choice.ladder();
    }

    /** Returns where measurements are looked up, in words: the store's directory, or that it is off. */
    public String store() {
        TuningStore store = platform.store(provider.openCl().isPresent());
        return store.settings().mode() == StoreSettings.Mode.OFF
                ? "no store, it is off"
                : store.directory() + (store.settings().mode() == StoreSettings.Mode.READ ? ", read only" : "");
    }

    /**
     * Creates an empty cache with room for that many tokens, however prompt and generated tokens share it. If the
     * specification keeps generated tokens dense, that reserves memory for the worst case of both; prefer
     * {@link #newCache(int, int)} then.
     *
     * @param tokens tokens in all, at least 1
     * @throws IllegalArgumentException if it is less than 1
     * @throws OutOfMemoryError if the memory cannot be had; the message says how much it is
     * @throws dev.attune.runtime.opencl.OpenClException if the memory of a device cannot be had, likewise
     */
    public KeyValueCache newCache(int tokens) {
        return newCache(CacheGeometry.of(shape, layout, tokens));
    }

    /**
     * Creates an empty cache with room for a prompt and the tokens generated after it.
     *
     * @param promptTokens tokens of the longest prompt, at least 0
     * @param generatedTokens tokens appended after it, at least 0
     * @throws IllegalArgumentException if one is negative or both are 0
     * @throws OutOfMemoryError if the memory cannot be had; the message says how much it is
     * @throws dev.attune.runtime.opencl.OpenClException if the memory of a device cannot be had, likewise
     */
    public KeyValueCache newCache(int promptTokens, int generatedTokens) {
        return newCache(CacheGeometry.of(shape, layout, promptTokens, generatedTokens));
    }

    private KeyValueCache newCache(CacheGeometry geometry) {
        if (backend() == Backend.OPENCL) {
            return newDeviceCache(geometry);
        }
        if (policy.tuning() == KernelPolicy.Tuning.BACKGROUND
                && policy.forced().isEmpty()
                && lengths.add(TuningKey.bucket(geometry.capacity()))) {
            BackgroundTuning.begin(
                    provider, policy, platform, geometry.capacity(), threads(), this::useWhatIsKnown);
        }
        return new KeyValueCache(
                shape, layout, backend(), geometry, new HostStore(provider, resources, geometry));
    }

    /** In the memory of a device, or of the host if the device fails and the policy allows that. */
    private KeyValueCache newDeviceCache(CacheGeometry geometry) {
        try {
            return new KeyValueCache(
                    shape,
                    layout,
                    backend(),
                    geometry,
                    new DeviceStore(provider, choice.programs(), geometry, threads()));
        } catch (OpenClException failure) {
            if (!policy.fallback() || policy.forced().isPresent()) {
                throw failure;
            }
            LayerKernels instead = onHost();
            ChoiceLog.warnOnce(provider.specification(), "a cache for " + geometry.capacity()
                    + " tokens is kept in host memory and served by " + instead.variant() + ", since " + variant()
                    + " failed: " + failure.getMessage());
            return instead.newCache(geometry);
        }
    }

    private synchronized LayerKernels onHost() {
        if (onHost == null) {
            onHost = choose(provider, policy.forbidding(variant().name()), platform, threads());
        }
        return onHost;
    }

    /** Lets decode steps from now on use the fastest variants that are known by now. */
    private synchronized void useWhatIsKnown() {
        KnownVariants now = known(provider, policy, platform, threads());
        if (now.equals(known)) {
            return;
        }
        resources.use(provider, javaVariant(), now.inHostMemory(ladder()));
        known = now;
        String refusal = now.refused().get(variant().name());
        if (refusal != null) {
            ChoiceLog.warnOnce(
                    specification(),
                    variant() + " failed verification on this machine while it was in use: " + refusal
                            + "; get kernels from Attune anew, and make new caches");
        }
    }
}
