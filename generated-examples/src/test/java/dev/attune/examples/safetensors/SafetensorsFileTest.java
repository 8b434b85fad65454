package dev.attune.examples.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.examples.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {

    @TempDir
    Path directory;

    @Test
    void readsAllThreeTypes() throws IOException {
        String header = """
                {"__metadata__":{"format":"pt"},
                 "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                 "b":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},
                 "c":{"dtype":"BF16","shape":[1,2],"data_offsets":[12,16]}}""";
        ByteBuffer data = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        data.putFloat(1.5f).putFloat(-2).putInt(7).putShort((short) 0x3f80).putShort((short) 0xc040);

        try (SafetensorsFile file = SafetensorsFile.open(file(header, data.array()))) {
            assertArrayEquals(new float[] {1.5f, -2}, file.tensor("a").floats(2));
            assertArrayEquals(new int[] {7}, file.tensor("b").ints());
            assertArrayEquals(new float[] {1, -3}, file.tensor("c").floats(1, 2));
            assertMessage(() -> file.tensor("d"), "no tensor d");
            assertMessage(() -> file.tensor("a").floats(3), "shape [2]");
            assertMessage(() -> file.tensor("b").floats(1), "I32");
        }
    }

    @Test
    void namesWhatIsWrong() throws IOException {
        assertMessage(() -> SafetensorsFile.open(directory.resolve("none")), "does not exist");
        assertFault(new byte[3], "3 bytes");
        assertFault(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(99).array(), "99 bytes");
        assertFault("{\"a\":", new byte[0], "not JSON");
        assertFault("{\"a\":{\"dtype\":\"F8\",\"shape\":[],\"data_offsets\":[0,1]}}", new byte[1], "'F8'");
        assertFault("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", new byte[4], "cut short");
        assertFault("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", new byte[4], "needs 8");
        assertFault("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,4]}}", new byte[4], "-2");
        assertFault("{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,4]}}",
                new byte[4], "too large");
    }

    private void assertFault(String header, byte[] data, String message) throws IOException {
        Path file = file(header, data);
        assertMessage(() -> SafetensorsFile.open(file), message);
    }

    private void assertFault(byte[] content, String message) throws IOException {
        Path file = Files.write(directory.resolve("faulty"), content);
        assertMessage(() -> SafetensorsFile.open(file), message);
    }

    private static void assertMessage(Runnable action, String part) {
        String message = assertThrows(InputException.class, action::run).getMessage();
        assertTrue(message.contains(part), message);
    }

    private Path file(String header, byte[] data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(text.length).put(text).put(data);
        return Files.write(Files.createTempFile(directory, "test", ".safetensors"), file.array());
    }
}
