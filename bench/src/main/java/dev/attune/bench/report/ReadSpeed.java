package dev.attune.bench.report;

import dev.attune.bench.roofline.ReadBandwidth;
import dev.attune.runtime.tuning.Distribution;
import java.util.List;
import java.util.Locale;

/**
 * How fast memory is read on a number of threads, as found before the comparisons.
 *
 * @param threads threads that read
 * @param streams streams per thread of the fastest way
 * @param gigabytesPerSecond what it reads in units of 1e9 bytes, a median
 * @param gigabytesPerSecondQuartiles its spread
 * @param tried the ways that were tried
 */
public record ReadSpeed(
        int threads,
        int streams,
        double gigabytesPerSecond,
        Quartiles gigabytesPerSecondQuartiles,
        List<Way> tried) {

    /** Copies the list. */
    public ReadSpeed {
        tried = List.copyOf(tried);
    }

    /**
     * One way of reading.
     *
     * @param streams streams per thread
     * @param gigabytesPerSecond a median
     */
    public record Way(int streams, double gigabytesPerSecond) {}

    /** Describes what was found. */
    public static ReadSpeed of(ReadBandwidth reading) {
        Distribution fastest = reading.candidates().stream()
                .filter(candidate -> candidate.streams() == reading.streams())
                .findFirst()
                .orElseThrow()
                .bytesPerNano();
        return new ReadSpeed(
                reading.threads(),
                reading.streams(),
                fastest.median(),
                Quartiles.of(fastest),
                reading.candidates().stream()
                        .map(each -> new Way(each.streams(), each.bytesPerNano().median()))
                        .toList());
    }

    /** Returns for example {@code 38.1 GB/s on 1 thread (37.0 to 38.9; 4 streams)}. */
    public String line() {
        return String.format(
                Locale.ROOT,
                "%.1f GB/s on %d %s (quartiles %.1f and %.1f; %d %s a thread)",
                gigabytesPerSecond,
                threads,
                threads == 1 ? "thread" : "threads",
                gigabytesPerSecondQuartiles.lower(),
                gigabytesPerSecondQuartiles.upper(),
                streams,
                streams == 1 ? "stream" : "streams");
    }
}
