package dev.attune.runtime.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class TablePartsTest {

    @Test
    void thereAreEnoughForTheProcessorsAndAPowerOfTwo() {
        int processors = Runtime.getRuntime().availableProcessors();
        int count = TableParts.forProcessors().count();
        assertEquals(1, Integer.bitCount(count));
        assertTrue(count >= processors && count < 2 * processors, count + " parts for " + processors + " processors");
    }

    @Test
    void aCountThatIsNoPowerOfTwoIsRefused() {
        String message = assertThrows(IllegalArgumentException.class, () -> new TableParts(6)).getMessage();
        assertEquals("count is 6 but must be a power of two", message);
    }

    @Test
    void thePreferredPartIsTakenIfItIsFreeAndAnotherOneIfNot() {
        TableParts parts = new TableParts(4);
        assertEquals(3, parts.take(3));
        assertEquals(0, parts.take(3));
        assertEquals(1, parts.take(0));
        parts.giveBack(3);
        assertEquals(3, parts.take(3));
    }

    @Test
    void aPartThatWasNotTakenCannotBeGivenBack() {
        TableParts parts = new TableParts(2);
        String message = assertThrows(IllegalStateException.class, () -> parts.giveBack(1)).getMessage();
        assertEquals("part 1 is given back, but was not taken", message);
    }

    @Test
    void moreThreadsThanPartsNeverShareOne() throws Exception {
        TableParts parts = new TableParts(2);
        AtomicIntegerArray users = new AtomicIntegerArray(parts.count());
        List<Future<Integer>> mostAtOnce = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int thread = 0; thread < 8; thread++) {
                int first = thread;
                mostAtOnce.add(threads.submit(() -> {
                    int part = first;
                    int most = 0;
                    for (int call = 0; call < 20_000; call++) {
                        part = parts.take(part);
                        most = Math.max(most, users.incrementAndGet(part));
                        users.decrementAndGet(part);
                        parts.giveBack(part);
                    }
                    return most;
                }));
            }
            for (Future<Integer> most : mostAtOnce) {
                assertEquals(1, most.get());
            }
        }
    }
}
