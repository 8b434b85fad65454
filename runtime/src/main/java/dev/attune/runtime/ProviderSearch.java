package dev.attune.runtime;

import dev.attune.runtime.spi.KernelProvider;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Finds generated kernels by {@link ServiceLoader}. */
final class ProviderSearch {

    private static final Logger LOGGER = System.getLogger("dev.attune");

    private ProviderSearch() {}

    /**
     * Returns the provider of a specification, as its class loader sees it.
     *
     * @throws IllegalStateException if there is none; the message lists the likely causes
     */
    static KernelProvider find(Class<?> specification) {
        // A stale entry of some other specification must not hide this one's provider.
        List<Error> broken = new ArrayList<>();
        Iterator<KernelProvider> providers =
                ServiceLoader.load(KernelProvider.class, specification.getClassLoader()).iterator();
        while (true) {
            try {
                if (!providers.hasNext()) {
                    throw notFound(specification, broken);
                }
                KernelProvider provider = providers.next();
                if (provider.specification() == specification) {
                    return provider;
                }
            } catch (ServiceConfigurationError | LinkageError error) {
                // Its class is gone or cannot be loaded, or that of its specification.
                broken.add(error);
            }
        }
    }

    /**
     * Returns all providers the thread's context class loader sees, sorted by the specification's name. Stale ones are
     * left out, with a warning in the log.
     */
    static List<KernelProvider> all() {
        List<KernelProvider> found = new ArrayList<>();
        Iterator<KernelProvider> providers = ServiceLoader.load(KernelProvider.class).iterator();
        while (true) {
            try {
                if (!providers.hasNext()) {
                    found.sort(Comparator.comparing(provider -> provider.specification().getName()));
                    return List.copyOf(found);
                }
                KernelProvider provider = providers.next();
                // Fails if the class of the specification is gone.
                provider.specification();
                found.add(provider);
            } catch (ServiceConfigurationError | LinkageError error) {
                LOGGER.log(Level.WARNING, "a listed provider of kernels is left out: it cannot be loaded", error);
            }
        }
    }

    private static IllegalStateException notFound(
            Class<?> specification, List<Error> broken) {
        String name = specification.getName();
        String simpleName = name.substring(name.lastIndexOf('.') + 1).replace('$', '_');
        var error = new IllegalStateException("no generated kernels found for " + name + ". Likely causes:"
                + " (1) it is not annotated with @AttentionSpec, or Attune's processor did not run: javac 23 and later"
                + " ignore processors on the class path, list attune-processor in annotationProcessorPaths (Maven) or"
                + " annotationProcessor (Gradle);"
                + " (2) it is in a named module whose module-info lacks"
                + " 'provides dev.attune.runtime.spi.KernelProvider with " + packagePrefix(specification) + simpleName
                + "Kernels';"
                + " (3) the list of providers under META-INF/services was lost when jars were merged."
                + " Without any of that, pass the provider itself: Attune.kernels(new " + simpleName + "Kernels())");
        broken.forEach(error::addSuppressed);
        return error;
    }

    private static String packagePrefix(Class<?> specification) {
        return specification.getPackageName().isEmpty() ? "" : specification.getPackageName() + ".";
    }
}
