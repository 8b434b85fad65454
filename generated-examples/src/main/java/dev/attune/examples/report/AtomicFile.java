package dev.attune.examples.report;

import dev.attune.examples.InputException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.ThreadLocalRandom;

/** Writes files so that a reader sees the old content or the new, never a half. */
public final class AtomicFile {

    private AtomicFile() {}

    /**
     * Fails unless a file can be written, so that this is known before it is due. Creates its directory if need be.
     *
     * @param option the option that named it
     * @throws InputException if it cannot be written
     */
    public static void requireWritable(String option, Path path) {
        Path file = path.toAbsolutePath();
        if (Files.isDirectory(file)) {
            throw new InputException(option + ": " + path + " is a directory; name a file");
        }
        try {
            Files.delete(draft(file));
        } catch (IOException e) {
            throw new InputException(option + ": " + unwritable(path, e), e);
        }
    }

    /**
     * Replaces a file, creating its directory if need be.
     *
     * @throws InputException if that is impossible
     */
    public static void write(Path path, String content) {
        Path file = path.toAbsolutePath();
        try {
            Path draft = draft(file);
            try {
                Files.writeString(draft, content);
                Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(draft);
            }
        } catch (IOException e) {
            throw new InputException(unwritable(path, e), e);
        }
    }

    /** Creates an empty file in the same directory, because a move between file systems is not atomic. */
    private static Path draft(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        // Not a temporary file's permissions, which nobody else may read, but those of any new file.
        String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
        return Files.createFile(file.resolveSibling("." + file.getFileName() + "-" + random + ".tmp"));
    }

    private static String unwritable(Path path, IOException cause) {
        String reason = switch (cause) {
            case FileAlreadyExistsException exists -> exists.getFile() + " is not a directory";
            case AccessDeniedException denied -> "no permission to write " + denied.getFile();
            default -> cause.toString();
        };
        return path + " cannot be written: " + reason + "; name a writable place";
    }
}
