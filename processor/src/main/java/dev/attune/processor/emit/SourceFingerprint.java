package dev.attune.processor.emit;

import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.GeneratedSource;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Tells by 16 hexadecimal digits each whether a measurement was made of the same specification and of the same kernels.
 *
 * @param specification digits of the specification's numbers
 * @param sources digits of the text of all its kernels
 */
record SourceFingerprint(String specification, String sources) {

    private static final int BYTES = 8;

    static SourceFingerprint of(AttentionModel model, List<GeneratedSource> kernels) {
        MessageDigest sources = sha256();
        kernels.forEach(source -> sources.update(source.text().getBytes(StandardCharsets.UTF_8)));
        MessageDigest specification = sha256();
        specification.update(model.toString().getBytes(StandardCharsets.UTF_8));
        return new SourceFingerprint(digits(specification), digits(sources));
    }

    private static String digits(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java platform has SHA-256", impossible);
        }
    }
}
