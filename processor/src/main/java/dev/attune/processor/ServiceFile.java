package dev.attune.processor;

import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A provider-configuration file of {@link java.util.ServiceLoader}.
 *
 * @param providers the qualified names of the providers, sorted, so that its text depends on nothing else
 */
record ServiceFile(SortedSet<String> providers) {

    ServiceFile {
        providers = Collections.unmodifiableSortedSet(new TreeSet<>(providers));
    }

    static ServiceFile of(Collection<String> providers) {
        return new ServiceFile(new TreeSet<>(providers));
    }

    /** Reads a file; comments and blank lines are dropped. */
    static ServiceFile parse(String text) {
        return of(text.lines()
                .map(line -> line.replaceFirst("#.*", "").strip())
                .filter(line -> !line.isEmpty())
                .toList());
    }

    /** Returns the text of the file. */
    String text() {
        return providers.stream().map(provider -> provider + "\n").collect(Collectors.joining());
    }
}
