package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecodeScheduleTest {

    private static final DecodeSchedule SCHEDULE = new DecodeSchedule(stages(1024, 8192, 1 << 20));

    private static List<DecodeSchedule.Stage> stages(int... contexts) {
        return Arrays.stream(contexts)
                .mapToObj(context -> new DecodeSchedule.Stage(
                        context, Impostors.variant("vector512-" + context), new LendingPool<>(1, () -> null)))
                .toList();
    }

    private static int contextFor(int tokens) {
        return SCHEDULE.forTokens(tokens).contextTokens();
    }

    @Test
    void aCacheIsDecodedByWhatWasMeasuredNearestToItsLength() {
        assertEquals(1024, contextFor(1024));
        assertEquals(8192, contextFor(8192));
        assertEquals(8192, contextFor(16383), "a length counts as the power of two below it");
        assertEquals(1024, contextFor(2048), "one doubling away from one, two from the other");
        assertEquals(8192, contextFor(4096));
        assertEquals(8192, contextFor(65536));
        assertEquals(1 << 20, contextFor(131072));
    }

    @Test
    void beyondWhatWasMeasuredTheLastStageServes() {
        assertEquals(1024, contextFor(1));
        assertEquals(1024, contextFor(0));
        assertEquals(1 << 20, contextFor(Integer.MAX_VALUE));
    }

    @Test
    void ofTwoEquallyNearTheFirstServes() {
        assertEquals(1024, new DecodeSchedule(stages(1024, 4096)).forTokens(2048).contextTokens());
        assertEquals(4096, new DecodeSchedule(stages(4096, 1024)).forTokens(2048).contextTokens());
    }

    @Test
    void itsStagesAreReplacedAsAWhole() {
        DecodeSchedule schedule = new DecodeSchedule(stages(1024));
        DecodeSchedule.Stage begun = schedule.forTokens(4096);
        List<DecodeSchedule.Stage> others = new ArrayList<>(stages(2048, 4096));
        schedule.replace(others);
        others.clear();
        assertEquals("vector512-4096", schedule.forTokens(4096).variant().name());
        assertEquals("vector512-2048", schedule.forTokens(1).variant().name());
        assertEquals("vector512-1024", begun.variant().name());
    }

    @Test
    void aScheduleWithoutAStageIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new DecodeSchedule(List.of()));
        DecodeSchedule schedule = new DecodeSchedule(stages(1024));
        assertThrows(IllegalArgumentException.class, () -> schedule.replace(List.of()));
        assertEquals(1024, schedule.forTokens(1024).contextTokens());
    }
}
