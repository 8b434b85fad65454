package dev.attune.bench.tuning;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Finds the names somebody may have meant. */
final class Spelling {

    /** More letters wrong than one in so many is another name. */
    private static final int LETTERS_PER_MISTAKE = 4;

    private Spelling() {}

    /**
     * Returns the names that contain what was typed, or are a few letters away from it, whatever the case; the nearest
     * first.
     */
    static List<String> near(String typed, List<String> names) {
        return names.stream()
                .filter(name -> contains(name, typed) || distance(name, typed) <= typed.length() / LETTERS_PER_MISTAKE)
                .sorted(Comparator.comparingInt(name -> distance(name, typed)))
                .toList();
    }

    private static boolean contains(String name, String typed) {
        return name.toLowerCase(Locale.ROOT).contains(typed.toLowerCase(Locale.ROOT));
    }

    /** Levenshtein's distance: the fewest letters to insert, delete or replace. */
    static int distance(String one, String other) {
        String left = one.toLowerCase(Locale.ROOT);
        String right = other.toLowerCase(Locale.ROOT);
        int[] row = new int[right.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= left.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[right.length()];
    }
}
