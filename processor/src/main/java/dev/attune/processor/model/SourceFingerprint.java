package dev.attune.processor.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Tells by 16 hexadecimal digits each whether a measurement was made of the same specification and of the same kernels.
 *
 * @param specification digits of the specification's numbers
 * @param sources digits of the text of all kernels planned for it, whether or not all of them are generated: a profile,
 *     which is measured of these kernels and may leave some out, does not outdate itself
 */
public record SourceFingerprint(String specification, String sources) {

    private static final int BYTES = 8;

    /** Returns the fingerprint of a specification and all its kernels, in the order of their plans. */
    public static SourceFingerprint of(AttentionModel model, List<GeneratedSource> kernels) {
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
