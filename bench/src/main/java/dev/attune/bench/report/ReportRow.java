package dev.attune.bench.report;

import dev.attune.annotations.Backend;
import dev.attune.bench.compare.Comparison;
import dev.attune.bench.compare.Outcome;
import dev.attune.bench.layers.Layer;
import dev.attune.bench.measure.Clock;
import dev.attune.bench.measure.Rounds;
import dev.attune.runtime.tuning.Distribution;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * One operation on one layer. Figures are medians over the rounds, each with its quartiles; ratios are medians of the
 * rounds' ratios.
 *
 * @param operation for example {@code decode-step}
 * @param spec what is pruned, for example {@code k0.8-centred+v0.8}
 * @param backend for example {@code vector512}
 * @param strategy how the kernels look entries up
 * @param format how kept entries are stored, for example {@code bf16}
 * @param headDim channels of a head
 * @param contextTokens tokens in the cache
 * @param groupSize query heads per key-value head
 * @param threads threads that share the work
 * @param nanosPerTokenHead nanoseconds per token and key-value head
 * @param nanosPerTokenHeadQuartiles its spread
 * @param bytesPerTokenHead bytes the operation must move per token and key-value head
 * @param gigabytesPerSecond those bytes over that time, in units of 1e9 bytes
 * @param readGigabytesPerSecond what plain reading achieved in the same rounds, on as many threads
 * @param fractionOfReadBandwidth the former by the latter; may exceed 1 where a cache stays in the processor's
 * @param fractionOfReadBandwidthQuartiles its spread
 * @param speedupOverDenseBf16 the time of the same operation on the dense bfloat16 layer by this one's
 * @param speedupOverDenseBf16Quartiles its spread
 * @param allocatedBytesPerStep heap bytes allocated by one step of all tokens and heads
 * @param clock whether time is that of the thread on its processor or elapsed time
 * @param rounds number of rounds
 * @param settled whether times had stopped falling when the rounds began
 */
public record ReportRow(
        String operation,
        String spec,
        String backend,
        String strategy,
        String format,
        int headDim,
        int contextTokens,
        int groupSize,
        int threads,
        double nanosPerTokenHead,
        Quartiles nanosPerTokenHeadQuartiles,
        double bytesPerTokenHead,
        double gigabytesPerSecond,
        double readGigabytesPerSecond,
        double fractionOfReadBandwidth,
        Quartiles fractionOfReadBandwidthQuartiles,
        double speedupOverDenseBf16,
        Quartiles speedupOverDenseBf16Quartiles,
        long allocatedBytesPerStep,
        String clock,
        int rounds,
        boolean settled) {

    /** Returns the rows of an outcome, one per layer. */
    public static List<ReportRow> of(Outcome outcome) {
        return IntStream.range(0, outcome.contestants().size())
                .mapToObj(contestant -> of(outcome, contestant))
                .toList();
    }

    private static ReportRow of(Outcome outcome, int contestant) {
        Comparison comparison = outcome.comparison();
        Layer layer = comparison.layers().get(contestant);
        Outcome.Contestant known = outcome.contestants().get(contestant);
        Rounds rounds = outcome.rounds();
        double bytes = known.bytes();
        double tokenHeads = known.tokenHeads();
        Distribution nanos = rounds.nanos(contestant).map(each -> each / tokenHeads);
        Distribution fraction =
                rounds.speedup(contestant, outcome.reader()).map(ratio -> ratio * bytes / outcome.readBytes());
        Distribution speedup = rounds.speedup(contestant, comparison.baseline());
        return new ReportRow(
                comparison.operation().toString(),
                layer.pruning().toString(),
                name(known.backend()),
                layer.provider().variant(known.backend()).strategy().toString().toLowerCase(Locale.ROOT),
                Layer.label(layer.format()),
                comparison.headDim(),
                comparison.contextTokens(),
                comparison.groupSize(),
                comparison.threads(),
                nanos.median(),
                Quartiles.of(nanos),
                bytes / tokenHeads,
                bytes / tokenHeads / nanos.median(),
                outcome.readBytes() / rounds.nanos(outcome.reader()).median(),
                fraction.median(),
                Quartiles.of(fraction),
                speedup.median(),
                Quartiles.of(speedup),
                known.allocatedBytes(),
                Clock.forThreads(comparison.threads()).toString(),
                rounds.count(),
                rounds.settled());
    }

    /** The name that the system property {@code attune.backend} has for it. */
    private static String name(Backend backend) {
        return backend.name().toLowerCase(Locale.ROOT).replace("_", "");
    }
}
