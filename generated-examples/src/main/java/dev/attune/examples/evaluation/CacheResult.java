package dev.attune.examples.evaluation;

import dev.attune.runtime.LayerKernels;
import java.util.List;
import java.util.Locale;

/**
 * Everything measured of one cache.
 *
 * @param choice the cache
 * @param kernels the kernels it ran on
 * @param natsPerByte mean negative log-likelihood of held-out text
 * @param needles one score per file
 * @param timings one sample per context length
 */
public record CacheResult(
        CacheChoice choice,
        LayerKernels kernels,
        double natsPerByte,
        List<NeedleScore> needles,
        List<Timing> timings) {

    /** Copies the lists. */
    public CacheResult {
        needles = List.copyOf(needles);
        timings = List.copyOf(timings);
    }

    /**
     * A sample at one context length.
     *
     * @param context tokens in the cache
     * @param sample what was measured
     */
    public record Timing(int context, DecodeTiming.Sample sample) {}

    /** Returns the sample at the context length of the table. */
    public DecodeTiming.Sample tableSample() {
        return timings.stream()
                .filter(timing -> timing.context() == DecodeTiming.TABLE_CONTEXT)
                .findFirst()
                .orElseThrow()
                .sample();
    }

    /** Returns the backend's name as the system property {@code attune.backend} takes it, for example vector512. */
    public String backendName() {
        return kernels.backend().name().replace("_", "").toLowerCase(Locale.ROOT);
    }

    /** Returns the score over all files together. */
    public NeedleScore allNeedles() {
        return new NeedleScore(
                "all",
                needles.stream().mapToInt(NeedleScore::exact).sum(),
                needles.stream().mapToInt(NeedleScore::prompts).sum());
    }
}
