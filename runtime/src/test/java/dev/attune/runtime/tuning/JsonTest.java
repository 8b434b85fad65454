package dev.attune.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {

    @Test
    void whatIsWrittenIsRead() throws Exception {
        StringBuilder everyLetter = new StringBuilder();
        for (char letter = 0; letter < 0x300; letter++) {
            everyLetter.append(letter);
        }
        everyLetter.append("\u2028\ud83d\ude00\udc00\ud800");
        Map<String, Object> object = new LinkedHashMap<>();
        object.put(everyLetter.toString(), everyLetter.toString());
        object.put("", List.of(Map.of("empty", Map.of()), Map.of("empty", Map.of())));
        object.put("tiny", Double.MIN_VALUE);
        object.put("huge", -Double.MAX_VALUE);
        object.put("third", 1 / 3.0);
        object.put("integer", Integer.MIN_VALUE);
        object.put("absent", Double.NaN);
        object.put("endless", Double.POSITIVE_INFINITY);
        JsonObject read = JsonReader.read(JsonWriter.write(object));
        assertEquals(everyLetter.toString(), read.string(everyLetter.toString()));
        assertEquals(2, read.objects("").size());
        assertEquals(Double.MIN_VALUE, read.number("tiny"));
        assertEquals(-Double.MAX_VALUE, read.number("huge"));
        assertEquals(1 / 3.0, read.number("third"));
        assertEquals(Integer.MIN_VALUE, read.integer("integer"));
        assertEquals(Double.NaN, read.numberOrNaN("absent"));
        assertEquals(Double.NaN, read.numberOrNaN("endless"));
    }

    @Test
    void everyEscapeIsRead() throws Exception {
        JsonObject read = JsonReader.read("{\"all\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\"}");
        assertEquals("\"\\/\b\f\n\r\t\u00e4\ud83d\ude00", read.string("all"));
    }

    @Test
    void aTruncatedTextIsRefusedWhereverItEnds() throws Exception {
        String whole = JsonWriter.write(RecordFormat.writeFile(Samples.HERE, Samples.record(4096))).strip();
        JsonReader.read(whole);
        for (int length = 0; length < whole.length(); length++) {
            String part = whole.substring(0, length);
            assertThrows(JsonException.class, () -> JsonReader.read(part), part);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", " ", "null", "[]", "\"text\"", "1", "garbage", "{}{}", "{} x", "{}\u0000", "\ufeff{}", "{\"a\":1,}", "{,}",
        "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "{\"a\":1 \"b\":2}", "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}",
        "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":-}", "{\"a\":0x10}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":1f}",
        "{\"a\":1e999}", "{\"a\":-1e999}", "{\"a\":tru}", "{\"a\":True}", "{\"a\":nul}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u\u0661\u0661\u0661\u0661\"}", "{\"a\":\"\n\"}",
        "{\"a\":\"\t\"}", "{\"a\":\u0661}", "{\"a\":1/*no*/}", "{\"a\":1}//no", "\u00a0{}"
    })
    void whatIsNoObjectInStrictJsonIsRefused(String text) {
        assertThrows(JsonException.class, () -> JsonReader.read(text));
    }

    @Test
    void deepNestingIsRefusedBeforeItFillsTheStack() {
        for (String bracket : List.of("[", "{\"a\":")) {
            String text = "{\"a\":" + bracket.repeat(300_000);
            String message = assertThrows(JsonException.class, () -> JsonReader.read(text)).getMessage();
            assertTrue(message.contains("no deeper nesting than 16"), message);
        }
    }

    @Test
    void numbersOfManyDigitsAreNumbers() throws Exception {
        assertEquals(1e300, JsonReader.read("{\"a\":1" + "0".repeat(300) + "}").number("a"));
        assertEquals(0, JsonReader.read("{\"a\":0." + "0".repeat(100_000) + "1}").number("a"));
    }

    @Test
    void membersAreOfTheTypesAskedFor() throws Exception {
        JsonObject object = JsonReader.read(
                "{\"text\":\"1\",\"half\":0.5,\"large\":2147483648,\"none\":null,\"some\":[1]}");
        assertThrows(JsonException.class, () -> object.integer("text"));
        assertThrows(JsonException.class, () -> object.integer("half"));
        assertThrows(JsonException.class, () -> object.integer("large"));
        assertThrows(JsonException.class, () -> object.number("none"));
        assertThrows(JsonException.class, () -> object.numberOrNaN("missing"));
        assertThrows(JsonException.class, () -> object.string("half"));
        assertThrows(JsonException.class, () -> object.objects("some"));
        assertThrows(JsonException.class, () -> object.object("some"));
        String message = assertThrows(JsonException.class, () -> object.string("missing")).getMessage();
        assertEquals("the file lacks \"missing\"", message);
    }

    @Test
    void damageOfASingleByteNeverEndsInAnythingButAnAnswer() {
        byte[] whole = JsonWriter.write(RecordFormat.writeFile(Samples.HERE, Samples.record(4096)))
                .getBytes(StandardCharsets.ISO_8859_1);
        int refused = 0;
        for (int at = 0; at < whole.length; at++) {
            byte[] damaged = Arrays.copyOf(whole, whole.length);
            damaged[at] ^= 0x15;
            try {
                RecordFormat.readFile(
                        Samples.HERE,
                        JsonReader.read(new String(damaged, StandardCharsets.ISO_8859_1)));
            } catch (JsonException expected) {
                refused++;
            }
        }
        assertTrue(refused > whole.length / 2, refused + " of " + whole.length);
    }
}
