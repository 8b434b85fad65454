package dev.attune.runtime.tuning;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Tells lists of texts apart by 16 hexadecimal digits: their 64-bit FNV-1a hash, with a byte after each text that UTF-8
 * does not have. Nobody here needs defending against, and the first cryptographic hash of a process takes longer than
 * looking up a specification's records does.
 *
 * <p>Source: Fowler, Noll, Vo, Eastlake, Hansen, "The FNV Non-Cryptographic Hash Algorithm".
 */
final class Digits {

    private static final long BASIS = 0xcbf29ce484222325L;
    private static final long PRIME = 0x100000001b3L;
    private static final int END_OF_TEXT = 0xff;

    private Digits() {}

    static String of(Iterable<String> texts) {
        long hash = BASIS;
        for (String text : texts) {
            for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
                hash = (hash ^ (each & 0xff)) * PRIME;
            }
            hash = (hash ^ END_OF_TEXT) * PRIME;
        }
        return HexFormat.of().toHexDigits(hash);
    }
}
