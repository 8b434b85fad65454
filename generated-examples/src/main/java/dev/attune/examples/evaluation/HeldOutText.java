package dev.attune.examples.evaluation;

import dev.attune.examples.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Text the model was not trained on. Passage {@code i} starts at byte {@code 16000 i}: 2048 bytes of prompt, then 64
 * bytes that are fed one by one, each predicting the next.
 *
 * @param path where it came from
 * @param bytes the text
 */
public record HeldOutText(Path path, byte[] bytes) {

    /** Distance between the starts of two passages. */
    public static final int STRIDE = 16_000;

    /** Bytes of a passage that are the pruned prompt. */
    public static final int PROMPT = 2048;

    /** Bytes of a passage that are fed after the prompt. */
    public static final int FED = 64;

    private static final int LENGTH = PROMPT + FED + 1;

    /**
     * Reads a file that holds at least one passage.
     *
     * @throws InputException if it is missing or too short
     */
    public static HeldOutText read(Path path) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new InputException("--heldout: " + path + " does not exist; give a text file", e);
        } catch (IOException e) {
            throw new InputException("--heldout: " + path + " cannot be read: " + e + "; give a text file", e);
        }
        if (bytes.length < LENGTH) {
            throw new InputException("--heldout: " + path + " has " + bytes.length + " bytes, one passage needs "
                    + LENGTH + "; give a longer text");
        }
        return new HeldOutText(path, bytes);
    }

    /** Returns how many passages the text holds. */
    public int passages() {
        return (bytes.length - LENGTH) / STRIDE + 1;
    }

    /**
     * Fails unless the text holds that many passages.
     *
     * @throws InputException naming how many it holds
     */
    public void require(int passages) {
        if (passages > passages()) {
            throw new InputException("--passages: " + passages + " passages need "
                    + ((passages - 1) * STRIDE + LENGTH) + " bytes, but " + path + " has " + bytes.length
                    + "; ask for at most " + passages() + " or give a longer text");
        }
    }

    /** Returns {@code count} bytes of a passage from its byte {@code from} on, as tokens. */
    public int[] tokens(int passage, int from, int count) {
        return tokens(bytes, passage * STRIDE + from, count);
    }

    static int[] tokens(byte[] bytes, int from, int count) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = bytes[from + i] & 0xFF;
        }
        return tokens;
    }
}
