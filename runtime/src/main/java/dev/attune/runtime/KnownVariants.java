package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.TunedChoice;
import dev.attune.runtime.tuning.Environment;
import dev.attune.runtime.tuning.TuningKey;
import dev.attune.runtime.tuning.TuningRecord;
import dev.attune.runtime.tuning.TuningStore;
import dev.attune.runtime.tuning.Verdict;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is known about a specification's variants on this machine: from the store, else from choices that were compiled
 * in, for this processor's model first, then for its architecture and the width of its vectors.
 *
 * @param fastest the fastest variant by context length
 * @param refused variants that failed verification, by name, and how
 */
record KnownVariants(Map<Integer, Known> fastest, Map<String, String> refused) {

    static final KnownVariants NONE = new KnownVariants(Map.of(), Map.of());

    /** The context length that is meant where one choice has to stand for all. */
    private static final int USUAL_CONTEXT = 32_768;

    /**
     * The fastest variant.
     *
     * @param variant the variant
     * @param source where that is known from, in words
     */
    record Known(KernelVariant variant, String source) {}

    /**
     * Returns the key under which the decode step of a specification is kept. What was measured while variants were
     * forbidden is kept apart, since it says nothing to those who may use them.
     */
    static TuningKey key(KernelProvider provider, KernelPolicy policy, int contextTokens, int threads) {
        String forbidden = provider.variants().stream()
                .filter(variant -> policy.forbidden(variant).isPresent())
                .map(KernelVariant::name)
                .collect(Collectors.joining(","));
        return new TuningKey(
                provider.specification().getName(),
                provider.fingerprint().specification(),
                provider.fingerprint().sources(),
                "attend",
                contextTokens,
                provider.shape().groupSize(),
                threads,
                KernelTuner.POLICY + (forbidden.isEmpty() ? "" : " without " + forbidden));
    }

    /** Returns what was measured of the variants that a policy allows, else of all. */
    static Optional<TuningRecord> find(
            KernelProvider provider, KernelPolicy policy, TuningStore store, int contextTokens, int threads) {
        return Stream.of(policy, KernelPolicy.free())
                .map(each -> key(provider, each, contextTokens, threads))
                .distinct()
                .flatMap(key -> store.find(key).stream())
                .findFirst();
    }

    /** Returns the variant of that name, if it was generated. */
    static Optional<KernelVariant> variant(KernelProvider provider, String name) {
        return provider.variants().stream()
                .filter(variant -> variant.name().equals(name))
                .findFirst();
    }

    /** Looks up what is known for a number of threads, to one who may use what a policy allows. */
    static KnownVariants lookUp(KernelProvider provider, KernelPolicy policy, TuningStore store, int threads) {
        Map<Integer, Known> fastest = new TreeMap<>();
        Map<String, String> refused = new LinkedHashMap<>();
        for (int context = TuningKey.SHORTEST_CONTEXT; context <= TuningKey.LONGEST_CONTEXT; context *= 2) {
            int length = context;
            find(provider, policy, store, length, threads)
                    .ifPresent(record -> add(
                            fastest, provider, length, record.chosen(), "in the store: " + record.reason()));
            // A variant that computes something wrong does so on any number of threads.
            Stream.of(1, threads, Runtime.getRuntime().availableProcessors())
                    .distinct()
                    .flatMap(any -> find(provider, policy, store, length, any).stream())
                    .forEach(each -> addRefused(refused, each));
        }
        if (fastest.isEmpty()) {
            addCompiledIn(fastest, provider, store.environment(), threads);
        }
        return new KnownVariants(fastest, refused);
    }

    private static void addRefused(Map<String, String> refused, TuningRecord record) {
        record.candidates().stream()
                .filter(candidate -> candidate.verdict() == Verdict.REFUSED)
                .forEach(candidate -> refused.put(candidate.variant(), candidate.reason()));
    }

    /** Choices for another number of threads are better than none, but only if there are none for this one. */
    private static void addCompiledIn(
            Map<Integer, Known> fastest, KernelProvider provider, Environment here, int threads) {
        Predicate<TunedChoice> sameModel = choice -> choice.processor().equals(here.processor())
                && choice.architecture().equals(here.vectors());
        Predicate<TunedChoice> sameVectors = choice -> choice.architecture().equals(here.vectors());
        Predicate<TunedChoice> sameThreads = choice -> choice.threads() == threads;
        for (Predicate<TunedChoice> fits : List.of(
                sameModel.and(sameThreads), sameVectors.and(sameThreads), sameModel, sameVectors)) {
            for (TunedChoice choice : provider.tunedChoices()) {
                if (fits.test(choice) && !fastest.containsKey(choice.contextTokens())) {
                    add(
                            fastest,
                            provider,
                            choice.contextTokens(),
                            choice.variant(),
                            "before compilation, on " + choice.processor() + " with " + choice.threads()
                                    + (choice.threads() == 1 ? " thread" : " threads"));
                }
            }
            if (!fastest.isEmpty()) {
                return;
            }
        }
    }

    private static void add(
            Map<Integer, Known> fastest, KernelProvider provider, int context, String name, String source) {
        variant(provider, name).ifPresent(variant -> fastest.put(context, new Known(variant, source)));
    }

    /** Returns what is known for the context length nearest to the usual one. */
    Optional<Known> usual() {
        return fastest.entrySet().stream()
                .min((one, other) -> Integer.compare(distance(one.getKey()), distance(other.getKey())))
                .map(Map.Entry::getValue);
    }

    private static int distance(int context) {
        return Math.abs(Integer.numberOfLeadingZeros(context) - Integer.numberOfLeadingZeros(USUAL_CONTEXT));
    }

    /** Returns what the ladder is to know. */
    VariantLadder.Measured forLadder() {
        Optional<Known> usual = usual();
        return new VariantLadder.Measured(
                usual.map(known -> known.variant().name()),
                usual.map(Known::source).orElse(""),
                refused);
    }

    /**
     * Returns the fastest variants that can decode a cache in host memory, once a ladder has told which ones can run.
     */
    Map<Integer, KernelVariant> inHostMemory(Iterable<Rung> ladder) {
        Map<String, Boolean> supported = new LinkedHashMap<>();
        ladder.forEach(rung -> supported.put(rung.variant(), rung.supported()));
        Map<Integer, KernelVariant> variants = new TreeMap<>();
        fastest.forEach((context, known) -> {
            String name = known.variant().name();
            boolean java = known.variant().backend() != Backend.OPENCL;
            // The ladder may be older than a refusal.
            if (java && supported.getOrDefault(name, false) && !refused.containsKey(name)) {
                variants.put(context, known.variant());
            }
        });
        return variants;
    }
}
