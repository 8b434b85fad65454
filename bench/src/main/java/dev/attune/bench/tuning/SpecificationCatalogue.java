package dev.attune.bench.tuning;

import dev.attune.examples.InputException;
import dev.attune.runtime.Attune;
import dev.attune.runtime.spi.KernelProvider;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The specifications whose kernels are on a class path.
 *
 * @param providers their generated factories, sorted by name
 */
public record SpecificationCatalogue(List<KernelProvider> providers) {

    /** Names that an error message lists at most. */
    private static final int MOST_NAMES = 12;

    /** Copies the list. */
    public SpecificationCatalogue {
        providers = List.copyOf(providers);
    }

    /**
     * Looks for generated kernels in jars and folders of classes, and among Attune's own examples.
     *
     * @param classPath jars and folders; may be empty
     * @throws InputException if one of them does not exist
     */
    public static SpecificationCatalogue find(List<Path> classPath) {
        List<URL> places = new ArrayList<>();
        for (Path place : classPath) {
            if (!Files.exists(place)) {
                throw new InputException("--class-path: " + place + " does not exist; name jars or folders of classes");
            }
            try {
                places.add(place.toUri().toURL());
            } catch (MalformedURLException impossible) {
                throw new InputException("--class-path: " + place + " cannot be read: " + impossible.getMessage());
            }
        }
        // Stays open: kernels are loaded from it as long as the command runs.
        ClassLoader loader =
                new URLClassLoader(places.toArray(URL[]::new), SpecificationCatalogue.class.getClassLoader());
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            return new SpecificationCatalogue(Attune.providers());
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /**
     * Returns the provider of a specification.
     *
     * @param name its simple or qualified name
     * @throws InputException if none or several have that name; the message lists similar ones
     */
    public KernelProvider named(String name) {
        List<KernelProvider> found = providers.stream()
                .filter(provider -> name.equals(provider.specification().getName())
                        || name.equals(simpleName(provider)))
                .toList();
        if (found.size() == 1) {
            return found.getFirst();
        }
        if (found.size() > 1) {
            throw new InputException("several specifications are called " + name + "; write one of " + names(found));
        }
        String typed = name.toLowerCase(Locale.ROOT);
        List<KernelProvider> similar = providers.stream()
                .filter(provider -> provider.specification().getName().toLowerCase(Locale.ROOT).contains(typed))
                .toList();
        throw new InputException(
                "there is no specification called " + name + " among the " + providers.size() + " found; "
                        + (similar.isEmpty()
                                ? "attune specs lists them, --class-path adds places to look in"
                                : "did you mean " + names(similar)));
    }

    private static String names(List<KernelProvider> providers) {
        String names = providers.stream()
                .limit(MOST_NAMES)
                .map(provider -> provider.specification().getName())
                .collect(Collectors.joining(", "));
        return providers.size() > MOST_NAMES ? names + ", ..." : names;
    }

    /** Returns a specification's name without its package, {@code Outer$Inner} for a nested one. */
    public static String simpleName(KernelProvider provider) {
        String name = provider.specification().getName();
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
