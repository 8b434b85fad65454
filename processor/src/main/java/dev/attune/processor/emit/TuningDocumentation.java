package dev.attune.processor.emit;

import com.palantir.javapoet.CodeBlock;
import dev.attune.processor.model.Tuning;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** The prose on what was measured before: which profile decided, for which machines, and what. */
final class TuningDocumentation {

    /** Letters of a line of text. */
    private static final int LINE_LETTERS = 100;

    private static final String HARMLESS =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -.,_()+:";

    private TuningDocumentation() {}

    /** Returns the paragraph for the factory; empty if nothing was measured. */
    static CodeBlock of(Tuning tuning) {
        CodeBlock.Builder text = CodeBlock.builder();
        if (tuning.choices().isEmpty()) {
            return text.build();
        }
        text.add("\n<p>Where nothing else is known, choices measured before compilation decide which variant runs.\n");
        if (tuning.winnersOnly()) {
            text.add("Others than the fastest were not generated, but for what packs for them, and plain Java.\n");
        }
        text.add("Times are nanoseconds per token and key-value head.\n");
        bySource(tuning.choices()).forEach((source, choices) -> {
            text.add("\n<p>$L:\n<ul>\n", wrapped(source));
            choices.forEach(choice -> text.add("<li>$L\n", line(choice)));
            text.add("</ul>\n");
        });
        return text.build();
    }

    private static Map<String, List<Tuning.Choice>> bySource(List<Tuning.Choice> choices) {
        return choices.stream()
                .collect(Collectors.groupingBy(
                        choice -> escaped("From " + choice.profile() + ", for " + choice.machine()),
                        LinkedHashMap::new,
                        Collectors.toList()));
    }

    private static String line(Tuning.Choice choice) {
        return count(choice.contextTokens(), "token") + ", " + count(choice.threads(), "thread") + ": "
                + timed(choice.variant(), OptionalDouble.of(choice.nanos()))
                + (choice.variant().equals(choice.defaultVariant())
                        ? ", the default"
                        : "; the default " + timed(choice.defaultVariant(), choice.defaultNanos()));
    }

    private static String timed(String variant, OptionalDouble nanos) {
        return escaped(variant)
                + (nanos.isPresent() ? String.format(Locale.ROOT, " %.3f", nanos.getAsDouble()) : "");
    }

    private static String count(int number, String unit) {
        return number + " " + unit + (number == 1 ? "" : "s");
    }

    /** Breaks a text into lines between its words. */
    private static String wrapped(String text) {
        StringBuilder lines = new StringBuilder();
        int length = 0;
        for (String word : text.split(" ")) {
            boolean fits = length + word.length() < LINE_LETTERS;
            lines.append(lines.isEmpty() ? "" : fits ? " " : "\n").append(word);
            length = fits ? length + 1 + word.length() : word.length();
        }
        return lines.toString();
    }

    /** Writes what may mean something to javac or Javadoc as a number: the text comes from a file. */
    private static String escaped(String text) {
        return text.codePoints()
                .mapToObj(letter -> HARMLESS.indexOf(letter) >= 0 ? Character.toString(letter) : "&#" + letter + ";")
                .collect(Collectors.joining());
    }
}
