package dev.attune.bench.cli;

import dev.attune.examples.InputException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers as people write them on a command line: {@code 32k} tokens, {@code 90s}, {@code all} threads. */
final class Quantities {

    private static final String ALL = "all";
    private static final int TILE_TOKENS = 64;
    private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,6})(ms|s|m|h)");

    private Quantities() {}

    /**
     * Returns a number of tokens; k stands for 1024.
     *
     * @throws InputException if it is no positive multiple of 64
     */
    static int tokens(String option, String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        try {
            int tokens = lower.endsWith("k")
                    ? Math.multiplyExact(1024, Integer.parseInt(lower.substring(0, lower.length() - 1)))
                    : Integer.parseInt(lower);
            if (tokens >= TILE_TOKENS && tokens % TILE_TOKENS == 0) {
                return tokens;
            }
        } catch (NumberFormatException | ArithmeticException refused) {
            // Refused below, like a number that is no multiple.
        }
        throw new InputException(option + ": " + text + " is no positive multiple of " + TILE_TOKENS
                + ", the tokens of a tile; write for example 4096 or 32k");
    }

    /**
     * Returns a number of threads; all stands for one per core.
     *
     * @throws InputException if it is not between 1 and the machine's cores
     */
    static int threads(String option, String text) {
        int cores = Runtime.getRuntime().availableProcessors();
        if (text.equals(ALL)) {
            return cores;
        }
        try {
            int count = Integer.parseInt(text);
            if (count >= 1 && count <= cores) {
                return count;
            }
        } catch (NumberFormatException refused) {
            // Refused below, like a number out of range.
        }
        throw new InputException(option + ": " + text + " is not between 1 and the " + cores
                + " cores of this machine; write a number or " + ALL);
    }

    /**
     * Returns a duration.
     *
     * @throws InputException if it is no number with a unit
     */
    static Duration duration(String option, String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new InputException(option + ": " + text + " is no duration; write for example 500ms, 90s, 2m or 1h");
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }
}
