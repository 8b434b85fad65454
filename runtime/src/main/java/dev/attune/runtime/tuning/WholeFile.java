package dev.attune.runtime.tuning;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes files that are there whole or not at all: under another name first, forced to the disk, then renamed. Whoever
 * reads meanwhile, and whatever ends the process, the file is that of before or that of after.
 */
final class WholeFile {

    /** The end of what a file is called before it is whole. */
    private static final String DRAFT = "draft";

    /** A draft, the process that writes it, and which process of that number. */
    private static final Pattern NAME =
            Pattern.compile("\\..+\\.([0-9]{1,18})\\.([0-9a-f]{16})\\.[0-9]+\\." + DRAFT);

    private static final long OWN_PROCESS = ProcessHandle.current().pid();
    private static final String OWN_START = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    private static final AtomicLong DRAFTS = new AtomicLong();

    /** Drafts can only vanish when another process sweeps by mistake, which does so once. */
    private static final int ATTEMPTS = 3;

    /** How bytes get to a disk. */
    @FunctionalInterface
    interface Output {

        /** Creates a file with these bytes, and returns when they would survive a loss of power. */
        void write(Path file, byte[] bytes) throws IOException;
    }

    private WholeFile() {}

    /** A stream: unlike a channel it is not closed by an interrupt, which must not cost a measurement. */
    static void writeAndForce(Path file, byte[] bytes) throws IOException {
        try (FileOutputStream stream = new FileOutputStream(file.toFile())) {
            stream.write(bytes);
            stream.getFD().sync();
        }
    }

    /** Writes a file, in place of one that may be there. */
    static void write(Path file, String text, Output output) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                writeOnce(file, text.getBytes(StandardCharsets.UTF_8), output);
                return;
            } catch (NoSuchFileException vanished) {
                if (attempt == ATTEMPTS) {
                    throw vanished;
                }
            }
        }
    }

    private static void writeOnce(Path file, byte[] bytes, Output output) throws IOException {
        Path draft = file.resolveSibling(String.join(
                ".",
                "",
                file.getFileName().toString(),
                Long.toString(OWN_PROCESS),
                OWN_START,
                Long.toString(DRAFTS.incrementAndGet()),
                DRAFT));
        try {
            output.write(draft, bytes);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /**
     * Returns whether a file is a draft nobody is writing any more. Processes are told by their numbers, not by the age
     * of the file: clocks jump. A process of another machine may be taken for dead, and then writes its file again.
     */
    static boolean isAbandoned(Path file) {
        Matcher draft = NAME.matcher(file.getFileName().toString());
        if (!draft.matches()) {
            return false;
        }
        long process = Long.parseLong(draft.group(1));
        // The first process of every container has the same number.
        return process == OWN_PROCESS
                ? !draft.group(2).equals(OWN_START)
                : ProcessHandle.of(process).isEmpty();
    }
}
