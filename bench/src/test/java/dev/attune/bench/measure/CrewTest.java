package dev.attune.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class CrewTest {

    @Test
    void everyMemberDoesEveryTaskOnceAlsoAfterAPause() {
        try (Crew crew = new Crew(3)) {
            AtomicIntegerArray done = new AtomicIntegerArray(3);
            for (int task = 1; task <= 300; task++) {
                if (task % 100 == 0) {
                    // Long enough for the members to park.
                    LockSupport.parkNanos(5_000_000);
                }
                crew.run(done::incrementAndGet);
                for (int member = 0; member < 3; member++) {
                    assertEquals(task, done.get(member));
                }
            }
        }
    }

    @Test
    void aCrewOfOneWorksOnTheCallingThread() {
        try (Crew crew = new Crew(1)) {
            Thread[] worker = new Thread[1];
            crew.run(member -> worker[member] = Thread.currentThread());
            assertSame(Thread.currentThread(), worker[0]);
        }
    }

    @Test
    void aFailureOnAnotherThreadReachesTheCaller() {
        try (Crew crew = new Crew(2)) {
            IllegalStateException failure = assertThrows(
                    IllegalStateException.class,
                    () -> crew.run(member -> {
                        if (member == 1) {
                            throw new ArithmeticException("wrong");
                        }
                    }));
            assertEquals("wrong", failure.getCause().getMessage());
        }
    }
}
