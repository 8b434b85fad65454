package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.runtime.tuning.TuningStore.Chapter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuningProfileTest {

    private static final TuningRecord SHORT = Samples.record(1024);
    private static final TuningRecord LONG = Samples.record(8192);
    private static final TuningRecord AGAIN = Samples.record(8192, "measured again");
    private static final TuningProfile PROFILE = new TuningProfile(
            List.of(new Chapter(Samples.HERE, List.of(SHORT, LONG)), new Chapter(Samples.ELSEWHERE, List.of(LONG))));

    @Test
    void whatIsExportedIsImported() {
        assertEquals(PROFILE, TuningProfile.parse(PROFILE.toJson()));
        assertEquals(PROFILE.toJson(), TuningProfile.parse(PROFILE.toJson()).toJson());
        assertEquals(new TuningProfile(List.of()), TuningProfile.parse(new TuningProfile(List.of()).toJson()));
    }

    @Test
    void aStoreTravelsInAProfile(@TempDir Path folder) {
        TuningStore from = TuningStore.open(Samples.writable(folder.resolve("from")), Samples.HERE);
        assertEquals(3, from.add(PROFILE.chapters()));
        String json = new TuningProfile(from.chapters()).toJson();
        TuningStore to = TuningStore.open(Samples.writable(folder.resolve("to")), Samples.ELSEWHERE);
        assertEquals(3, to.add(TuningProfile.parse(json).chapters()));
        assertEquals(from.chapters(), to.chapters());
    }

    @Test
    void ofTwoRecordsUnderAKeyTheOtherProfilesCounts() {
        TuningProfile other = new TuningProfile(List.of(new Chapter(Samples.HERE, List.of(AGAIN))));
        assertEquals(
                new TuningProfile(List.of(
                        new Chapter(Samples.HERE, List.of(SHORT, AGAIN)),
                        new Chapter(Samples.ELSEWHERE, List.of(LONG)))),
                PROFILE.with(other));
    }

    @Test
    void whatIsNoProfileIsRefusedWithThePlace() {
        String json = PROFILE.toJson();
        assertRefused("", "expected a value at character 0, found the end");
        assertRefused(json.substring(0, json.length() / 2), "expected");
        assertRefused("{}", "the file lacks \"format\"");
        assertRefused(json.replace("attune-profile-1", "attune-profile-9"), "\"format\" is \"attune-profile-9\", not");
        assertRefused(json.replace("\"processors\": \"64\"", "\"processors\": \"many\""), "many");
        assertRefused(json.replaceFirst("\"TIMED\"", "\"WON\""), "\"WON\" is no verdict");
        assertRefused(json.replaceFirst("\"contextTokens\": 1024", "\"contextTokens\": 0"), "contextTokens = 0");
        assertRefused(json.replaceFirst("\"medianNanos\": 1.25", "\"medianNanos\": -1"), "medianNanos = -1.0");
    }

    private static void assertRefused(String json, String words) {
        var error = assertThrows(IllegalArgumentException.class, () -> TuningProfile.parse(json));
        assertTrue(error.getMessage().startsWith("no tuning profile: "), error.getMessage());
        assertTrue(error.getMessage().contains(words), error.getMessage());
    }
}
