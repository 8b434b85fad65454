package dev.attune.processor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelProviderProcessorTest {

    @TempDir
    Path folder;

    private static String specification(String packageName, String declaration) {
        return "package " + packageName + ";\nimport dev.attune.annotations.*;\n"
                + "@AttentionSpec(queryHeads = 32, keyValueHeads = 8, headDim = 128)\n" + declaration;
    }

    @Test
    void listsEveryProviderInOrder() throws IOException {
        SpecCompilation compilation = new SpecCompilation(folder)
                .source("Zulu", specification("models", "interface Zulu {}"))
                .source("Alpha", specification("models", "interface Alpha {}"))
                .source("Outer", "package other;\nclass Outer {"
                        + specification("", "interface Foo {}").replaceAll("(?s)^.*\\*;", "")
                                .replace("@AttentionSpec", "@dev.attune.annotations.AttentionSpec") + "}");

        assertTrue(compilation.compile().succeeded());
        assertEquals(
                List.of("models.AlphaKernels", "models.ZuluKernels", "other.Outer_FooKernels"),
                compilation.providers());
    }

    @Test
    void writesNoFileWithoutProviders() throws IOException {
        new SpecCompilation(folder).source("Foo", specification("models", "class Foo {}")).compile();
        assertFalse(Files.exists(folder.resolve("classes").resolve(KernelProviderProcessor.FILE)));
    }

    @Test
    void addsToWhatAnEarlierBuildLeft() throws IOException {
        new SpecCompilation(folder).source("Foo", specification("models", "interface Foo {}")).compile();
        SpecCompilation second =
                new SpecCompilation(folder).source("Bar", specification("models", "interface Bar {}"));

        assertTrue(second.compile().succeeded());
        assertEquals(List.of("models.BarKernels", "models.FooKernels"), second.providers());
    }

    @Test
    void dropsProvidersWhoseClassIsGone() throws IOException {
        new SpecCompilation(folder).source("Foo", specification("models", "interface Foo {}")).compile();
        Files.delete(folder.resolve("classes/models/FooKernels.class"));
        SpecCompilation second =
                new SpecCompilation(folder).source("Bar", specification("models", "interface Bar {}"));

        assertTrue(second.compile().succeeded());
        assertEquals(List.of("models.BarKernels"), second.providers());
    }

    @Test
    void dropsTheProviderOfASpecificationThatBroke() throws IOException {
        new SpecCompilation(folder)
                .source("Foo", specification("models", "interface Foo {}"))
                .source("Bar", specification("models", "interface Bar {}"))
                .compile();
        SpecCompilation second = new SpecCompilation(folder)
                .source("Foo", specification("models", "interface Foo {}").replace("headDim = 128", "headDim = 100"));

        SpecCompilation.Result result = second.compile();
        assertEquals(
                List.of("[ATT011] headDim = 100 is not a multiple of 16; the nearest multiples are 96 and 112"),
                result.texts());
        assertEquals(List.of("models.BarKernels"), second.providers());
    }

    @Test
    void readsCommentsAndBlankLines() {
        ServiceFile file = ServiceFile.parse("# providers\n\n b.BKernels # why\na.AKernels\n");
        assertEquals("a.AKernels\nb.BKernels\n", file.text());
    }
}
