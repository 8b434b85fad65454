package dev.attune.examples.report;

import dev.attune.examples.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes files so that a reader sees the old content or the new, never a half. */
public final class AtomicFile {

    private AtomicFile() {}

    /**
     * Replaces a file, creating its directory if need be.
     *
     * @throws InputException if that is impossible
     */
    public static void write(Path path, String content) {
        Path file = path.toAbsolutePath();
        try {
            Files.createDirectories(file.getParent());
            // In the same directory, because a move between file systems is not atomic.
            Path draft = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".tmp");
            try {
                Files.writeString(draft, content);
                Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(draft);
            }
        } catch (IOException e) {
            throw new InputException(path + " cannot be written: " + e + "; name a writable place", e);
        }
    }
}
