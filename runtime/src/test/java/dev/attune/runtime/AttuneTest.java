package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.SmallLayer;
import dev.attune.reference.SmallLayerKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttuneTest {

    interface NeverProcessed {}

    @Test
    void kernelsAreFoundByTheirSpecification() {
        LayerKernels kernels = Attune.kernels(SmallLayer.class);
        assertEquals(SmallLayer.class, kernels.specification());
        assertEquals(SmallLayerKernels.SHAPE, kernels.shape());
        assertEquals(4, kernels.ladder().size());
    }

    @Test
    void anArgumentForcesTheBackend() {
        assertEquals(Backend.SCALAR, Attune.kernels(SmallLayer.class, Backend.SCALAR).backend());
    }

    @Test
    void aProviderNeedsNoSearch() {
        assertEquals(SmallLayer.class, Attune.kernels(new SmallLayerKernels()).specification());
    }

    @Test
    void allProvidersAreListed() {
        List<String> names = Attune.providers().stream()
                .map(provider -> provider.specification().getName())
                .toList();
        assertTrue(names.contains(SmallLayer.class.getName()), names::toString);
        assertEquals(names.stream().sorted().toList(), names);
    }

    @Test
    void aSpecificationWithoutKernelsNamesTheLikelyCauses() {
        var error = assertThrows(IllegalStateException.class, () -> Attune.kernels(NeverProcessed.class));
        for (String cause : List.of(
                "no generated kernels found for dev.attune.runtime.AttuneTest$NeverProcessed",
                "annotationProcessorPaths",
                "provides dev.attune.runtime.spi.KernelProvider with"
                        + " dev.attune.runtime.AttuneTest_NeverProcessedKernels",
                "Attune.kernels(new AttuneTest_NeverProcessedKernels())")) {
            assertTrue(error.getMessage().contains(cause), error.getMessage());
        }
    }

    @Test
    void aStaleEntryOfAnotherSpecificationHidesNothing(@TempDir Path folder) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(KernelProvider.class.getName()), "gone.DeletedKernels\n");
        // Loads the tests' classes itself, after the stale entry.
        URL tests = SmallLayer.class.getProtectionDomain().getCodeSource().getLocation();
        try (var loader = new OwnClassesFirst(new URL[] {folder.toUri().toURL(), tests})) {
            Class<?> specification = loader.loadClass(SmallLayer.class.getName());
            assertEquals(loader, specification.getClassLoader());
            assertEquals(specification, Attune.kernels(specification, Backend.SCALAR).specification());
        }
    }

    @Test
    void nullsAreNamed() {
        assertEquals(
                "specification is null",
                assertThrows(NullPointerException.class, () -> Attune.kernels((Class<?>) null)).getMessage());
        assertEquals(
                "backend is null",
                assertThrows(NullPointerException.class, () -> Attune.kernels(SmallLayer.class, null)).getMessage());
        assertEquals(
                "provider is null",
                assertThrows(NullPointerException.class, () -> Attune.kernels((KernelProvider) null)).getMessage());
    }

    /** Has its own copy of the reference package and of the service entries. */
    private static final class OwnClassesFirst extends URLClassLoader {

        OwnClassesFirst(URL[] urls) {
            super(urls, AttuneTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("dev.attune.reference.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : findClass(name);
            }
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            return findResources(name);
        }
    }
}
