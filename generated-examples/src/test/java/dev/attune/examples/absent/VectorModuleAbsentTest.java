package dev.attune.examples.absent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.Backend;
import dev.attune.examples.bytelm.ByteLmCentredKeys80Values80;
import dev.attune.runtime.Attune;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Generated kernels in a JVM that was not given {@code --add-modules jdk.incubator.vector}. */
class VectorModuleAbsentTest {

    @Test
    void scalarKernelsServeAndTheLogNamesTheFlag() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        WithoutVectorModule.class.getName())
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), printed);
        assertTrue(printed.contains("add --add-modules jdk.incubator.vector"), printed);
        List<String> lines = printed.lines().dropWhile(line -> !line.startsWith("backend")).toList();
        assertEquals("backend SCALAR", lines.getFirst(), printed);
        float[] expected =
                WithoutVectorModule.decode(Attune.kernels(ByteLmCentredKeys80Values80.class, Backend.SCALAR));
        assertEquals(expected.length, lines.size() - 1, printed);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], Float.intBitsToFloat(Integer.parseInt(lines.get(i + 1))));
        }
    }
}
