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
import java.util.stream.Collectors;

/**
 * The specifications whose kernels are on a class path.
 *
 * @param providers their generated factories, sorted by name
 */
public record SpecificationCatalogue(List<KernelProvider> providers) {

    /** Names that an error message lists at most. */
    private static final int MOST_NAMES = 6;

    /** What Attune measures itself with, in many shapes: it would drown a user's own. */
    private static final String BENCHMARKS = "dev.attune.bench.";

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

    /** Returns the specifications without those of Attune's own benchmarks. */
    public SpecificationCatalogue withoutBenchmarks() {
        return new SpecificationCatalogue(providers.stream()
                .filter(provider -> !provider.specification().getName().startsWith(BENCHMARKS))
                .toList());
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
            throw new InputException("several specifications are called " + name + "; write one of "
                    + listed(found.stream().map(provider -> provider.specification().getName()).toList()));
        }
        List<String> similar = Spelling.near(
                name,
                withoutBenchmarks().providers.stream()
                        .map(SpecificationCatalogue::simpleName)
                        .distinct()
                        .toList());
        throw new InputException("there is no specification called " + name + "; "
                + (similar.isEmpty()
                        ? "attune specs lists those that are found, --class-path adds places to look in"
                        : "did you mean " + listed(similar) + "?"));
    }

    private static String listed(List<String> names) {
        return names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "))
                + (names.size() > MOST_NAMES ? ", ..." : "");
    }

    /** Returns a specification's name without its package, {@code Outer$Inner} for a nested one. */
    public static String simpleName(KernelProvider provider) {
        String name = provider.specification().getName();
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
