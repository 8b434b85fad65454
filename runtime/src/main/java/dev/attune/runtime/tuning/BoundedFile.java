package dev.attune.runtime.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** Reads files that may be anything: never more of them than a limit, and nothing that could block. */
final class BoundedFile {

    private BoundedFile() {}

    /**
     * Returns the bytes of a file.
     *
     * @throws IOException if there are more than {@code most}, or it is no regular file
     */
    static byte[] read(Path file, int most) throws IOException {
        if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
            throw new IOException("it is no regular file");
        }
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(most + 1);
            if (bytes.length > most) {
                throw new IOException("it has more than " + most + " bytes");
            }
            return bytes;
        }
    }

    /**
     * Returns the text of a file in UTF-8.
     *
     * @throws IOException if {@link #read} does, or it is no UTF-8
     */
    static String readText(Path file, int mostBytes) throws IOException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(read(file, mostBytes)))
                .toString();
    }
}
