package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.attune.runtime.settings.Setting;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class VerboseTopicTest {

    private static Set<VerboseTopic> parse(String value) {
        return VerboseTopic.parse(Setting.of("attune.verbose", value, "ATTUNE_VERBOSE", null));
    }

    @Test
    void aSettingNamesTopicsWithCommasBetweenThem() {
        assertEquals(EnumSet.noneOf(VerboseTopic.class), parse(null));
        assertEquals(EnumSet.noneOf(VerboseTopic.class), parse(""));
        assertEquals(EnumSet.of(VerboseTopic.TUNE), parse("tune"));
        assertEquals(EnumSet.allOf(VerboseTopic.class), parse(" run , select,tune,run"));
    }

    @Test
    void anythingElseIsRefusedWithWhatIsValid() {
        for (String value : List.of("all", "select,walk", "SELECT", "select tune")) {
            var refusal = assertThrows(IllegalArgumentException.class, () -> parse(value));
            assertEquals(
                    "the system property attune.verbose = \"" + value
                            + "\" is not valid; valid are select, tune, run, or several with commas between them",
                    refusal.getMessage());
        }
    }

    @Test
    void nothingIsPrintedUnlessItIsAskedFor() {
        for (VerboseTopic topic : VerboseTopic.values()) {
            assertFalse(topic.enabled());
        }
    }

    /** The line of names comes once in a process: this is the only test that has it printed. */
    @Test
    void theNamesOfTheFieldsComeBeforeAnyLineHoweverManyThreadsPrint() {
        int lines = 64;
        var printed = new ByteArrayOutputStream();
        var stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < lines; i++) {
                threads.execute(() -> VerboseTopic.RUN.print(stream, "a.b.Layer", 2, 1024, "scalar", "1\t\n2"));
            }
        }
        List<String> expected = new ArrayList<>(
                Collections.nCopies(lines, "attune-run\ta.b.Layer\t2\t1024\tscalar\t1 2"));
        expected.addFirst("attune-run\tspecification\tthreads\ttokens\tvariant\tmicros");
        assertEquals(expected, printed.toString(StandardCharsets.UTF_8).lines().toList());
    }

    @Test
    void aLineOfFewerFieldsThanNamesIsRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> VerboseTopic.TUNE.print(System.err, "a.b.Layer", 2, "scalar"));
    }
}
