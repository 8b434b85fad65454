package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.reference.SmallLayer;
import dev.attune.reference.SmallLayerKernels;
import dev.attune.runtime.spi.KernelProvider;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
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
    void kernelsWhoseSpecificationIsGoneHideNothing(@TempDir Path folder) throws Exception {
        Path tests = Path.of(SmallLayer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        copyReferencePackage(tests, folder);
        Path entries = folder.resolve("META-INF/services/" + KernelProvider.class.getName());
        Files.createDirectories(entries.getParent());
        Files.writeString(entries, "dev.attune.reference.SmallLayerKernels\ndev.attune.reference.KeptKernels\n");
        compile(folder, tests, "KeptKernels", """
                package dev.attune.reference;
                import dev.attune.annotations.Backend;
                public class KeptKernels implements dev.attune.runtime.spi.KernelProvider {
                    public Class<?> specification() { return KeptKernels.class; }
                    public dev.attune.runtime.spi.LayerShape shape() { return SmallLayerKernels.SHAPE; }
                    public dev.attune.runtime.spi.CacheLayout layout() { return ReferenceKernels.layout(shape()); }
                    public dev.attune.runtime.spi.Fingerprint fingerprint() {
                        return new dev.attune.runtime.spi.Fingerprint("1", "2");
                    }
                    public java.util.List<dev.attune.runtime.spi.KernelVariant> variants() {
                        return java.util.List.of(ReferenceProvider.defaultOf(Backend.SCALAR));
                    }
                    public dev.attune.runtime.spi.AttentionKernels create(
                            dev.attune.runtime.spi.KernelVariant variant) {
                        return new ReferenceKernels(shape(), variant.backend());
                    }
                }
                """);
        Files.delete(folder.resolve("dev/attune/reference/SmallLayer.class"));

        try (var loader = new OwnClassesFirst(new URL[] {folder.toUri().toURL()})) {
            Class<?> kept = loader.loadClass("dev.attune.reference.KeptKernels");
            assertEquals(kept, Attune.kernels(kept).specification());
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            thread.setContextClassLoader(loader);
            try {
                assertEquals(
                        List.of(kept), Attune.providers().stream().map(KernelProvider::specification).toList());
            } finally {
                thread.setContextClassLoader(before);
            }
        }
    }

    private static void copyReferencePackage(Path from, Path to) throws IOException {
        Path folder = Files.createDirectories(to.resolve("dev/attune/reference"));
        try (Stream<Path> classes = Files.list(from.resolve("dev/attune/reference"))) {
            for (Path each : classes.toList()) {
                Files.copy(each, folder.resolve(each.getFileName().toString()));
            }
        }
    }

    private static void compile(Path folder, Path tests, String name, String text) throws Exception {
        Path source = Files.writeString(folder.resolve(name + ".java"), text);
        List<String> classPath = new ArrayList<>(List.of(tests.toString()));
        for (Class<?> each : List.of(Attune.class, Backend.class)) {
            classPath.add(Path.of(each.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
        }
        int exit = ToolProvider.getSystemJavaCompiler().run(
                null, null, null, "-proc:none", "-cp", String.join(File.pathSeparator, classPath),
                "-d", folder.toString(), source.toString());
        assertEquals(0, exit);
    }

    @Test
    void nullsAreNamed() {
        assertEquals(
                "specification is null",
                assertThrows(NullPointerException.class, () -> Attune.kernels((Class<?>) null)).getMessage());
        assertEquals(
                "backend is null",
                assertThrows(NullPointerException.class, () -> Attune.kernels(SmallLayer.class, (Backend) null))
                        .getMessage());
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
