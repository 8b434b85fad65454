package dev.attune.bench.roofline;

import dev.attune.bench.measure.Clock;
import dev.attune.bench.measure.Contestant;
import dev.attune.bench.measure.Crew;
import dev.attune.bench.measure.Interleaving;
import dev.attune.bench.measure.Rounds;
import dev.attune.bench.measure.Schedule;
import dev.attune.runtime.tuning.Distribution;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Reads memory far larger than the processor's caches on a number of threads, each of which reads what it touched
 * first. A step is one pass over all of it. Taking its turn between other contestants, it is what their speed is
 * measured against.
 */
public final class ReadBandwidth implements Contestant, AutoCloseable {

    private static final long LEAST_BYTES = 256L << 20;
    private static final long LEAST_BYTES_PER_THREAD = 64L << 20;
    private static final long PAGE = 4096;

    private final Arena arena = Arena.ofShared();
    private final Crew crew;
    private final MemorySegment[] memory;
    private final long[] sums;
    private final List<Candidate> candidates;

    /** Kept, so that a step allocates no method reference. */
    private final IntConsumer share = this::readShare;

    private int streams;

    /**
     * What one way of reading achieves.
     *
     * @param streams streams that each thread reads side by side
     * @param bytesPerNano bytes per nanosecond, which is GB/s, over all threads
     */
    public record Candidate(int streams, Distribution bytesPerNano) {}

    private ReadBandwidth(int threads, Schedule schedule) {
        crew = new Crew(threads);
        memory = new MemorySegment[threads];
        sums = new long[threads];
        long bytes = Math.max(LEAST_BYTES_PER_THREAD, LEAST_BYTES / threads / PAGE * PAGE);
        // Allocating fills with zeros, and what a thread fills is near it where memory is not the same to all.
        crew.run(member -> memory[member] = arena.allocate(bytes, PAGE));
        candidates = tryAll(schedule);
        streams = candidates.stream()
                .max((a, b) -> Double.compare(a.bytesPerNano().median(), b.bytesPerNano().median()))
                .orElseThrow()
                .streams();
    }

    /**
     * Allocates the memory and looks for the number of streams that is fastest here.
     *
     * @param threads threads that read
     * @param schedule how long to look
     */
    public static ReadBandwidth on(int threads, Schedule schedule) {
        return new ReadBandwidth(threads, schedule);
    }

    private List<Candidate> tryAll(Schedule schedule) {
        List<Contestant> readers = new ArrayList<>();
        for (int each : MemoryReader.STREAMS) {
            readers.add(() -> read(each));
        }
        Rounds rounds = Interleaving.measure(readers, Clock.forThreads(threads()), schedule);
        List<Candidate> found = new ArrayList<>();
        for (int i = 0; i < readers.size(); i++) {
            double[] speeds = Arrays.stream(rounds.nanos()[i]).map(nanos -> bytes() / nanos).toArray();
            found.add(new Candidate(MemoryReader.STREAMS[i], Distribution.of(speeds)));
        }
        return List.copyOf(found);
    }

    /** Returns the number of threads that read. */
    public int threads() {
        return crew.size();
    }

    /** Returns the bytes one step reads. */
    public long bytes() {
        return memory.length * memory[0].byteSize();
    }

    /** Returns what each way of reading achieved when it was tried. */
    public List<Candidate> candidates() {
        return candidates;
    }

    /** Returns the number of streams per thread that was fastest, and that a step uses. */
    public int streams() {
        return streams;
    }

    @Override
    public void step() {
        crew.run(share);
    }

    private void read(int streamsPerThread) {
        streams = streamsPerThread;
        step();
    }

    private void readShare(int member) {
        sums[member] += MemoryReader.read(memory[member], streams);
    }

    /** Frees the memory and dismisses the threads. */
    @Override
    public void close() {
        crew.close();
        arena.close();
    }
}
