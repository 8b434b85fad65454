package dev.attune.bench.roofline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemoryReaderTest {

    private static final int LONGS = 3 * 4096 / Long.BYTES;

    @Test
    void everyNumberIsReadOnceHoweverManyStreamsThereAre() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate((long) LONGS * Long.BYTES, 64);
            Random random = new Random(1);
            long expected = 0;
            for (int i = 0; i < LONGS; i++) {
                long number = random.nextLong();
                memory.setAtIndex(ValueLayout.JAVA_LONG, i, number);
                expected += number;
            }
            for (int streams : MemoryReader.STREAMS) {
                assertEquals(expected, MemoryReader.read(memory, streams), streams + " streams");
            }
        }
    }
}
