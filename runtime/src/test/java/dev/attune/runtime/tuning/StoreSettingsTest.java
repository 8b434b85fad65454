package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.attune.runtime.settings.Setting;
import java.io.File;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StoreSettingsTest {

    @BeforeEach
    void pathsAreThoseOfUnix() {
        assumeTrue(File.separatorChar == '/', "the paths of these tests are absolute on Unix");
    }

    private static StoreSettings settings(
            Map<String, String> properties, Map<String, String> variables, String system, String home) {
        Setting.Source source = property -> {
            String variable = property.replace('.', '_').toUpperCase(Locale.ROOT);
            return Setting.of(property, properties.get(property), variable, variables.get(variable));
        };
        return StoreSettings.of(source, variables::get, system, home);
    }

    private static Path directory(Map<String, String> variables, String system) {
        StoreSettings settings = settings(Map.of(), variables, system, "/home/user");
        assertEquals(StoreSettings.Mode.WRITE, settings.mode());
        assertEquals("in the user's directory for caches", settings.reason());
        return settings.directory();
    }

    @Test
    void everySystemHasItsDirectoryForCaches() {
        assertEquals(Path.of("/home/user/.cache/attune"), directory(Map.of(), "Linux"));
        assertEquals(Path.of("/home/user/.cache/attune"), directory(Map.of(), "FreeBSD"));
        assertEquals(Path.of("/home/user/Library/Caches/attune"), directory(Map.of(), "Mac OS X"));
        assertEquals(Path.of("/home/user/AppData/Local/attune"), directory(Map.of(), "Windows 11"));
        assertEquals(Path.of("/local/attune"), directory(Map.of("LOCALAPPDATA", "/local"), "Windows 11"));
        assertEquals(Path.of("/caches/attune"), directory(Map.of("XDG_CACHE_HOME", "/caches"), "Linux"));
    }

    @Test
    void aRelativeOrEmptyCacheHomeIsIgnoredAsXdgSays() {
        for (String ignored : new String[] {"caches", "./caches", "~/caches", "", "a\0b"}) {
            assertEquals(Path.of("/home/user/.cache/attune"), directory(Map.of("XDG_CACHE_HOME", ignored), "Linux"));
        }
    }

    @Test
    void thePropertyComesBeforeTheVariableAndThatBeforeTheSystem() {
        Map<String, String> variables =
                Map.of("ATTUNE_STORE", "/variable", "ATTUNE_STORE_MODE", "read", "XDG_CACHE_HOME", "/caches");
        StoreSettings both = settings(
                Map.of("attune.store", "/property", "attune.store.mode", "write"), variables, "Linux", "/home/user");
        assertEquals(
                new StoreSettings(
                        Path.of("/property"), StoreSettings.Mode.WRITE, "set by the system property attune.store"),
                both);
        assertEquals(
                new StoreSettings(
                        Path.of("/variable"),
                        StoreSettings.Mode.READ,
                        "set by the environment variable ATTUNE_STORE"),
                settings(Map.of(), variables, "Linux", "/home/user"));
    }

    @Test
    void relativeDirectoriesAreOfTheWorkingDirectory() {
        StoreSettings settings = settings(Map.of("attune.store", "build/store"), Map.of(), "Linux", "/home/user");
        assertEquals(Path.of("build/store").toAbsolutePath(), settings.directory());
        assertTrue(settings.directory().isAbsolute());
    }

    @Test
    void withoutAHomeDirectoryTheStoreIsOffAndSaysWhy() {
        for (String unknown : new String[] {null, "", "?", "somewhere"}) {
            StoreSettings settings = settings(Map.of(), Map.of(), "Linux", unknown);
            assertEquals(StoreSettings.Mode.OFF, settings.mode());
            assertEquals("the home directory is unknown; attune.store sets another directory", settings.reason());
            assertEquals(
                    StoreSettings.Mode.WRITE,
                    settings(Map.of("attune.store", "/store"), Map.of(), "Linux", unknown).mode());
            assertEquals(
                    StoreSettings.Mode.READ,
                    settings(
                                    Map.of("attune.store.mode", "read"),
                                    Map.of("XDG_CACHE_HOME", "/caches"),
                                    "Linux",
                                    unknown)
                            .mode());
        }
    }

    @Test
    void switchedOffItSaysByWhat() {
        assertEquals(
                "switched off by the system property attune.store.mode",
                settings(Map.of("attune.store.mode", "off"), Map.of(), "Linux", "/home/user").reason());
        assertEquals(
                "switched off by the environment variable ATTUNE_STORE_MODE",
                settings(Map.of(), Map.of("ATTUNE_STORE_MODE", "off", "ATTUNE_STORE", "/store"), "Linux", null)
                        .reason());
    }

    @Test
    void wrongValuesNameTheSettingTheValueAndWhatIsValid() {
        for (String wrong : new String[] {"on", "OFF", "readonly", ""}) {
            assertRefused(
                    Map.of("attune.store.mode", wrong),
                    "the system property attune.store.mode = \"" + wrong
                            + "\" is not valid; valid are write, read, off");
        }
        assertRefused(
                Map.of("attune.store", " "),
                "the system property attune.store = \"\" is not valid; valid are the names of directories");
        assertRefused(
                Map.of("attune.store", "a\0b"),
                "the system property attune.store = \"a\0b\" is not valid; valid are the names of directories"
                        + " (Nul character not allowed)");
    }

    private static void assertRefused(Map<String, String> properties, String message) {
        var error = assertThrows(
                IllegalArgumentException.class, () -> settings(properties, Map.of(), "Linux", "/home/user"));
        assertEquals(message, error.getMessage());
    }
}
