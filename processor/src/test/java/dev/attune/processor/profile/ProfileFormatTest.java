package dev.attune.processor.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.processor.ProfileText;
import dev.attune.processor.model.SourceFingerprint;
import dev.attune.processor.model.Tuning;
import java.io.IOException;
import java.io.StringReader;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProfileFormatTest {

    private static final SourceFingerprint FINGERPRINT =
            new SourceFingerprint("0123456789abcdef", "fedcba9876543210");

    private static String valid() {
        return new ProfileText()
                .on("AMD EPYC", 512)
                .record("models.Foo", FINGERPRINT, 4096, 2, "vector512-ahead0", "vector512", "2026-01-31T12:00:00Z")
                .toString();
    }

    private static List<Measurement> read(String text) throws IOException, InvalidProfileException {
        JsonValue document = JsonValue.read(new StringReader(text));
        assertEquals(ProfileFormat.CURRENT, ProfileFormat.version(document));
        return ProfileFormat.measurements(document);
    }

    @Test
    void readsWhatAnExportWrites() throws Exception {
        assertEquals(
                List.of(new Measurement(
                        new Tuning.Machine("AMD EPYC", "amd64, 512-bit vectors"),
                        "0.1.0",
                        "models.Foo",
                        FINGERPRINT,
                        4096,
                        2,
                        Instant.parse("2026-01-31T12:00:00Z"),
                        "vector512-ahead0",
                        0.25,
                        "vector512",
                        OptionalDouble.of(0.5))),
                read(valid()));
        assertEquals(List.of(), read("{\"environments\": [], \"format\": \"attune-profile-1\"}"));
    }

    @Test
    void passesOverMembersItHasNoUseFor() throws Exception {
        String more = valid()
                .replace("\"chosen\"", "\"remark\": [{\"more\": [true, null, 1.5e3, \"\\u20ac\"]}],\n \"chosen\"")
                .replace("\"groupSize\": 4,", "");
        assertEquals(read(valid()), read(more));
    }

    @Test
    void aCandidateMayHaveNoTime() throws Exception {
        Measurement measurement = read(valid().replaceAll("\"medianNanos\": 0.5", "\"medianNanos\": null")).getFirst();
        assertEquals(OptionalDouble.empty(), measurement.defaultNanos());
        assertEquals(0.25, measurement.nanos());
    }

    @Test
    void aRecordWithoutATimeOfTheChosenVariantDecidesNothing() throws Exception {
        assertEquals(List.of(), read(valid().replaceAll("\"medianNanos\": 0.25", "\"medianNanos\": null")));
        String damaged = valid().replaceAll("\"medianNanos\": 0.25", "\"medianNanos\": null").replace("4096", "0");
        assertThrows(InvalidProfileException.class, () -> read(damaged));
    }

    /**
     * A valid profile with one piece replaced.
     *
     * @param instead what the piece is replaced by; a mark is at the place that the message is expected at
     * @param message what is said about it
     */
    record Damage(String piece, String instead, String message) {}

    static Stream<Damage> damages() {
        String environment = "environments[0].environment";
        String record = "environments[0].records[0]";
        return Stream.of(
                new Damage("\"attune-profile-1\"", "§\"profile\"", "format = \"profile\" is not \"attune-profile-1\""),
                new Damage("\"attune-profile-1\"", "§1", "format = 1 is not a text"),
                new Damage("{\n  \"format\"", "§{\n  \"forms\"", "the document has no member \"format\""),
                new Damage("\"environments\":", "\"environments\": §0, \"x\":", "environments = 0 is not a list"),
                new Damage("\"environment\":", "\"environment\": §[], \"x\":",
                        environment + " = [...] is not an object"),
                new Damage(
                        "\"records\":", "\"records\": §{}, \"x\":", "environments[0].records = {...} is not a list"),

                new Damage("\"512\"", "§512", environment + ".vectorBits = 512 is not a text"),
                new Damage("\"512\"", "§\"wide\"",
                        environment + ".vectorBits = \"wide\" is not a text with a number of bits"),
                new Damage("\"AMD EPYC\"", "§\"\"",
                        environment + ".processor = \"\" is not 1 to 200 printable letters of ASCII"),
                new Damage("\"AMD EPYC\"", "§\"AMD\\n\\\"\"",
                        environment + ".processor = \"AMD\\n\\\"\" is not 1 to 200 printable letters of ASCII"),
                new Damage("\"amd64\"", "§null", environment + ".architecture = null is not a text"),

                new Damage("\"0123456789abcdef\"", "§\"0123\"",
                        record + ".key.specificationHash = \"0123\" is not a text of 16 hexadecimal digits"),
                new Damage("\"fedcba9876543210\"", "§\"FEDCBA9876543210\"",
                        record + ".key.sourcesHash = \"FEDCBA9876543210\" is not a text of 16 hexadecimal digits"),
                new Damage("{\n            \"specification\"", "§{\n            \"interface\"",
                        record + ".key has no member \"specification\""),
                new Damage("4096", "§4000",
                        record + ".key.contextTokens = 4000 is not a power of two from 1024 to 1048576"),
                new Damage("4096", "§512",
                        record + ".key.contextTokens = 512 is not a power of two from 1024 to 1048576"),
                new Damage("4096", "§4096.5",
                        record + ".key.contextTokens = 4096.5 is not a whole number from 1 to 2147483647"),
                new Damage("\"threads\": 2", "\"threads\": §0",
                        record + ".key.threads = 0 is not a whole number from 1 to 2147483647"),
                new Damage("\"threads\": 2", "\"threads\": §1e999999999",
                        record + ".key.threads = 1E+999999999 is not a whole number from 1 to 2147483647"),
                new Damage("\"threads\": 2", "\"threads\": §true",
                        record + ".key.threads = true is not a whole number from 1 to 2147483647"),

                new Damage("\"chosen\": \"vector512-ahead0\"", "\"chosen\": §\"vector512-ahead1\"",
                        record + ".chosen = \"vector512-ahead1\" is not among the candidates vector512-ahead0, "
                                + "vector512, vector999"),
                new Damage("\"default\": \"vector512\"", "\"default\": §null",
                        record + ".default = null is not a text"),
                new Damage("\"2026-01-31T12:00:00Z\"", "§\"today\"",
                        record + ".measuredAt = \"today\" is not a time such as 2026-01-31T12:00:00Z"),
                new Damage("\"vector999\"", "§\"Vector 9\"",
                        record + ".candidates[2].variant = \"Vector 9\" is not the name of a variant"),
                new Damage("0.25", "§-0.25",
                        record + ".candidates[0].medianNanos = -0.25 is not null or a number of nanoseconds"),
                new Damage("0.25", "§\"fast\"",
                        record + ".candidates[0].medianNanos = \"fast\" is not null or a number of nanoseconds"),

                new Damage("\"threads\": 2", "\"threads\": 2, \"threads\"§: 2", "Duplicate field 'threads'"),
                new Damage("\"policy\": \"quick\"", "§policy: 1",
                        "Unexpected character ('p' (code 112)): was expecting double-quote to start field name"));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void saysWhatIsWrongWhereItIs(Damage damage) {
        String text = valid();
        assertTrue(text.contains(damage.piece()), text);
        int start = text.indexOf(damage.piece());
        String marked = text.substring(0, start) + damage.instead() + text.substring(start + damage.piece().length());
        List<String> before = marked.substring(0, marked.indexOf('§')).lines().toList();

        InvalidProfileException invalid =
                assertThrows(InvalidProfileException.class, () -> read(marked.replace("§", "")));

        assertEquals(damage.message(), invalid.getMessage());
        assertEquals(Math.max(1, before.size()), invalid.line());
        assertEquals(before.isEmpty() ? 1 : before.getLast().length() + 1, invalid.column());
    }

    @Test
    void repeatsNoMoreThanTheBeginningOfALongText() {
        InvalidProfileException invalid = assertThrows(
                InvalidProfileException.class,
                () -> read("{\"format\": \"" + "x".repeat(1000) + "\"}"));
        assertEquals("format = \"" + "x".repeat(60) + "...\" is not \"attune-profile-1\"", invalid.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " \n", "{", "[", "{\"format\"", "nonsense", "\u0000"})
    void whatIsNotJsonIsNoProfile(String text) {
        assertThrows(InvalidProfileException.class, () -> read(text));
    }

    @Test
    void nothingMayFollowAProfile() {
        InvalidProfileException invalid =
                assertThrows(InvalidProfileException.class, () -> read(valid() + "\n{}"));
        assertEquals("nothing may follow its last '}'", invalid.getMessage());
    }

    @Test
    void tooDeepNestsAreRefused() {
        InvalidProfileException invalid = assertThrows(
                InvalidProfileException.class,
                () -> read("{\"format\": \"attune-profile-1\", \"x\": " + "[".repeat(100_000)));
        assertTrue(invalid.getMessage().contains("nesting depth"), invalid::getMessage);
    }

    @Test
    void aTruncatedProfileIsRefusedWhereverItEnds() {
        String text = valid().strip();
        for (int length = 0; length < text.length(); length++) {
            String truncated = text.substring(0, length);
            assertThrows(InvalidProfileException.class, () -> read(truncated), truncated);
        }
    }

    @Test
    void aDamagedProfileIsReadOrRefusedAndNothingElse() throws IOException {
        Random random = new Random(5);
        String text = valid();
        int refused = 0;
        for (int trial = 0; trial < 2000; trial++) {
            StringBuilder damaged = new StringBuilder(text);
            damaged.setCharAt(random.nextInt(text.length()), (char) random.nextInt(128));
            try {
                JsonValue document = JsonValue.read(new StringReader(damaged.toString()));
                ProfileFormat.version(document);
                ProfileFormat.measurements(document);
            } catch (InvalidProfileException expected) {
                refused++;
                assertTrue(expected.line() >= 1 && expected.column() >= 1, expected::getMessage);
            }
        }
        assertTrue(refused > 500, "refused " + refused);
    }
}
