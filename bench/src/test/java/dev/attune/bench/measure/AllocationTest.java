package dev.attune.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AllocationTest {

    private static byte[] kept;
    private static long sum;

    @Test
    void countsWhatAStepAllocates() {
        long bytes = Allocation.bytesPerStep(() -> kept = new byte[1_000_000]);
        assertTrue(bytes >= 1_000_000 && bytes < 1_100_000, () -> bytes + " bytes");
        assertEquals(1_000_000, kept.length);
    }

    @Test
    void countsWhatOtherThreadsAllocateForIt() {
        try (Crew crew = new Crew(2)) {
            long bytes = Allocation.bytesPerStep(() -> crew.run(AllocationTest::allocateOnTheOtherThread));
            assertTrue(bytes >= 1_000_000, () -> bytes + " bytes");
        }
    }

    private static void allocateOnTheOtherThread(int member) {
        if (member == 1) {
            kept = new byte[1_000_000];
        }
    }

    @Test
    void arithmeticAllocatesNothing() {
        assertEquals(0, Allocation.bytesPerStep(() -> sum += 3));
    }
}
