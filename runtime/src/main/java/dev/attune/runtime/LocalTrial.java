package dev.attune.runtime;

import dev.attune.annotations.Backend;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.ContestListener;
import dev.attune.runtime.tuning.Contestant;
import dev.attune.runtime.tuning.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;

/** A trial in this process. */
final class LocalTrial implements Trial {

    /** Tokens of the cache on which the compiler gets to see the kernels: few, since at first they are interpreted. */
    private static final int WARM_UP_TOKENS = 1024;

    /**
     * Compiled code makes next to no objects. Where vectors are some, it is hundreds of bytes for a token and key-value
     * head.
     */
    private static final double SETTLED_BYTES = 4;

    private final KernelProvider provider;
    private final Meter meter;

    /** Those that {@link #begin} named, and what speaks against them. */
    private List<KernelVariant> variants = List.of();

    private final Map<String, CandidateResult> out = new LinkedHashMap<>();
    private long warmUpNanos;

    private Optional<RandomCaches> caches = Optional.empty();
    private final Map<KernelVariant, Contestant> contestants = new LinkedHashMap<>();
    private final List<Runnable> toClose = new ArrayList<>();

    LocalTrial(KernelProvider provider, Meter meter) {
        this.provider = provider;
        this.meter = meter;
    }

    @Override
    public void begin(List<KernelVariant> variants, long nanos) {
        this.variants = List.copyOf(variants);
        this.warmUpNanos = nanos;
    }

    @Override
    public Map<String, CandidateResult> prepared(ContestListener listener) {
        out.clear();
        refuseWhatIsWrong(KernelVerification::problem, listener);
        warmUp(listener);
        refuseWhatIsWrong(KernelVerification::problemWhenCompiled, listener);
        return Map.copyOf(out);
    }

    private void refuseWhatIsWrong(
            BiFunction<KernelProvider, KernelVariant, Optional<String>> verification, ContestListener listener) {
        for (KernelVariant variant : left()) {
            listener.round(new ContestListener.Progress("verifying " + variant, 0, "", Double.NaN));
            verification.apply(provider, variant).ifPresent(words -> out.put(
                    variant.name(), CandidateResult.untimed(variant.name(), Verdict.REFUSED, words)));
        }
    }

    private void warmUp(ContestListener listener) {
        try (RandomCaches caches = new RandomCaches(provider, WARM_UP_TOKENS, 1)) {
            Map<KernelVariant, CompilerWarmUp.Step> steps = new LinkedHashMap<>();
            for (KernelVariant variant : left()) {
                if (variant.backend() != Backend.OPENCL) {
                    DecodeStep step = decodeStep(variant, 1);
                    double settledBytes = variant.backend().usesVectors()
                            ? SETTLED_BYTES * caches.tokenHeads()
                            : Double.POSITIVE_INFINITY;
                    steps.put(variant, new CompilerWarmUp.Step(() -> caches.attend(step), settledBytes));
                }
            }
            new CompilerWarmUp(List.copyOf(steps.values()), meter).run(warmUpNanos, listener);
            steps.forEach((variant, step) -> {
                if (!step.settled()) {
                    out.put(variant.name(), CandidateResult.untimed(
                            variant.name(), Verdict.LEFT_OUT, unsettled(step, caches.tokenHeads())));
                }
            });
        }
    }

    private String unsettled(CompilerWarmUp.Step step, double tokenHeads) {
        return String.format(
                Locale.ROOT,
                "not timed, its vectors are still objects (%.0f bytes for a token and key-value head): the just-in-time"
                        + " compiler did not get done with it in %.0f s",
                step.bytes() / tokenHeads,
                warmUpNanos / 1e9);
    }

    private List<KernelVariant> left() {
        return variants.stream()
                .filter(variant -> !out.containsKey(variant.name()))
                .toList();
    }

    @Override
    public Map<String, CandidateResult> fill(List<KernelVariant> variants, int tokens, int threads) {
        Map<String, CandidateResult> impossible = new LinkedHashMap<>();
        for (KernelVariant variant : variants) {
            if (contestants.containsKey(variant)) {
                continue;
            }
            if (variant.backend() != Backend.OPENCL) {
                DecodeStep step = decodeStep(variant, threads);
                contestants.put(variant, new HostContestant(variant.name(), hostCaches(tokens), step));
                continue;
            }
            try {
                DeviceContestant device = new DeviceContestant(provider, variant, tokens);
                toClose.add(device::close);
                contestants.put(variant, device);
            } catch (OpenClException | OutOfMemoryError failure) {
                // Nothing is wrong with the kernels: a shorter context may fit the device, and its prompt the host.
                impossible.put(variant.name(), CandidateResult.untimed(
                        variant.name(),
                        Verdict.UNSUPPORTED,
                        "such a cache cannot be filled: " + failure.getMessage()));
            }
        }
        return impossible;
    }

    private RandomCaches hostCaches(int tokens) {
        if (caches.isEmpty()) {
            RandomCaches filled = new RandomCaches(provider, tokens, RandomCaches.LAYERS);
            toClose.add(filled::close);
            caches = Optional.of(filled);
        }
        return caches.get();
    }

    @Override
    public Contestant contestant(KernelVariant variant) {
        return Objects.requireNonNull(contestants.get(variant), () -> variant + " has no cache to run on");
    }

    private DecodeStep decodeStep(KernelVariant variant, int threads) {
        return SharedResources.of(provider, variant, Map.of(), WorkerPool.SHARED, threads)
                .steps()
                .acquire();
    }

    /** Decode steps over caches in host memory. */
    private record HostContestant(String name, RandomCaches caches, DecodeStep step) implements Contestant {

        @Override
        public void run(int times) {
            for (int i = 0; i < times; i++) {
                caches.attend(step);
            }
        }
    }

    @Override
    public void empty() {
        contestants.clear();
        caches = Optional.empty();
        toClose.forEach(Runnable::run);
        toClose.clear();
    }

    @Override
    public void close() {
        empty();
    }
}
