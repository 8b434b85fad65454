package dev.attune.examples.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CacheOpeningTest {

    @Test
    void aFailureClosesWhatWasOpenedBeforeAndIsThrownOn() {
        OutOfMemoryError failure = new OutOfMemoryError("no room for the third");
        List<Integer> closed = new ArrayList<>();

        Error thrown = assertThrows(OutOfMemoryError.class, () -> AllOrNone.open(
                4,
                i -> {
                    if (i == 2) {
                        throw failure;
                    }
                    return i;
                },
                closed::add));

        assertSame(failure, thrown);
        assertEquals(List.of(0, 1), closed);
    }

    @Test
    void withoutAFailureNothingIsClosed() {
        List<Integer> closed = new ArrayList<>();

        assertEquals(List.of(0, 1, 2), AllOrNone.open(3, i -> i, closed::add));
        assertEquals(List.of(), closed);
    }
}
