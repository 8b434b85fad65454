package dev.attune.runtime;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.reference.ReferenceProvider;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.LayerShape;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.function.Executable;

class CacheGeometryTest {

    private static final CacheLayout LAYOUT =
            new CacheLayout(1, 6400, 32_768, List.of(new CacheLayout.Part("x", 6400)));
    private static final LayerShape PACKING = new LayerShape(32, 8, 72, 32, true);
    private static final LayerShape KEEPING_DENSE = new LayerShape(32, 8, 72, 32, false);

    @Test
    void packedGeneratedTokensNeedTwoDenseTiles() {
        CacheGeometry geometry = CacheGeometry.of(PACKING, LAYOUT, 1000);
        assertEquals(15, geometry.packedTiles());
        assertEquals(2, geometry.denseTiles());
        assertEquals(geometry, CacheGeometry.of(PACKING, LAYOUT, 300, 700));
        assertEquals(2, CacheGeometry.of(PACKING, LAYOUT, 65).denseTiles());
        assertEquals(1, CacheGeometry.of(PACKING, LAYOUT, 64).denseTiles());
    }

    @Test
    void denseGeneratedTokensNeedRoomForTheWorstCase() {
        CacheGeometry whole = CacheGeometry.of(KEEPING_DENSE, LAYOUT, 1000);
        assertEquals(16, whole.packedTiles());
        assertEquals(16, whole.denseTiles());
        CacheGeometry split = CacheGeometry.of(KEEPING_DENSE, LAYOUT, 900, 100);
        assertEquals(1000, split.capacity());
        // A prompt of 900 tokens is packed whole, in 14 full tiles and a partial one.
        assertEquals(15, split.packedTiles());
        assertEquals(2, split.denseTiles());
    }

    @Test
    void whateverPromptIsPromisedFitsWithWhatIsGeneratedAfterIt() {
        for (int prompt = 0; prompt < 200; prompt++) {
            for (int generated = prompt == 0 ? 1 : 0; generated < 200; generated += 7) {
                CacheGeometry geometry = CacheGeometry.of(KEEPING_DENSE, LAYOUT, prompt, generated);
                for (int actual = 0; actual <= prompt; actual++) {
                    geometry.requireRoomForPrompt(actual);
                    if (generated > 0) {
                        int last = generated - 1;
                        geometry.requireRoomForOneMore(actual + last, last);
                    }
                }
            }
        }
    }

    @Test
    void tilesAreAlignedAndDisjointAndEndWithTheSegment() {
        CacheGeometry geometry = CacheGeometry.of(KEEPING_DENSE, LAYOUT, 640, 640);
        long scales = 8 * 72 * 4;
        assertEquals(scales, geometry.scaleBytes());
        assertEquals(scales, geometry.packedTile(0, 0));
        assertEquals(6400, geometry.packedTile(0, 1) - geometry.packedTile(0, 0));
        assertEquals(6400, geometry.packedTile(1, 0) - geometry.packedTile(0, geometry.packedTiles() - 1));
        assertEquals(6400, geometry.denseTile(0, 0) - geometry.packedTile(7, geometry.packedTiles() - 1));
        assertEquals(32_768, geometry.denseTile(1, 0) - geometry.denseTile(0, geometry.denseTiles() - 1));
        assertEquals(geometry.bytes(), geometry.denseTile(7, geometry.denseTiles() - 1) + 32_768);
    }

    @Test
    void scalesArePaddedToACacheLine() {
        CacheGeometry geometry = CacheGeometry.of(new LayerShape(1, 1, 20, 32, true), LAYOUT, 64);
        assertEquals(80, geometry.scaleBytes());
        assertEquals(128, geometry.packedTile(0, 0));
    }

    @Test
    void offsetsPassTwoAndFourGigabytes() {
        CacheGeometry geometry = CacheGeometry.of(KEEPING_DENSE, LAYOUT, Integer.MAX_VALUE);
        int tiles = Integer.MAX_VALUE / 64 + 1;
        long packedStart = 8 * 72 * 4;
        assertEquals(packedStart + (7L * tiles + tiles - 1) * 6400, geometry.packedTile(7, tiles - 1));
        assertEquals(packedStart + 8L * tiles * 6400 + 8L * tiles * 32_768, geometry.bytes());
    }

    @Test
    void impossibleSizesAreRefused() {
        assertRefused("room for 0 tokens", () -> CacheGeometry.of(PACKING, LAYOUT, 0));
        assertRefused("room for -5 tokens", () -> CacheGeometry.of(PACKING, LAYOUT, -5));
        assertRefused("room for 0 tokens", () -> CacheGeometry.of(PACKING, LAYOUT, 0, 0));
        assertRefused("-1 generated", () -> CacheGeometry.of(PACKING, LAYOUT, 5, -1));
        assertRefused("at most 2147483647", () -> CacheGeometry.of(PACKING, LAYOUT, Integer.MAX_VALUE, 1));
        CacheLayout crooked = new CacheLayout(1, 100, 64, List.of(new CacheLayout.Part("x", 100)));
        assertRefused("multiples of 64", () -> CacheGeometry.of(PACKING, crooked, 64));
    }

    private static void assertRefused(String message, Executable call) {
        var error = assertThrows(IllegalArgumentException.class, call);
        assertTrue(error.getMessage().contains(message), error.getMessage());
    }

    @Test
    void aBoundedCacheRefusesLongerPromptsAndMoreGeneratedTokens() {
        CacheGeometry geometry = CacheGeometry.of(KEEPING_DENSE, LAYOUT, 100, 1000);
        assertDoesNotThrow(() -> geometry.requireRoomForPrompt(100));
        var prompt = assertThrows(IllegalStateException.class, () -> geometry.requireRoomForPrompt(101));
        assertEquals(
                "a prompt of 101 tokens does not fit: this cache of 1100 tokens has room for a prompt of 100;"
                        + " create it with newCache(101, generatedTokens)",
                prompt.getMessage());
        CacheGeometry promptOnly = CacheGeometry.of(KEEPING_DENSE, LAYOUT, 1000, 5);
        var generated = assertThrows(IllegalStateException.class, () -> promptOnly.requireRoomForOneMore(128, 64));
        assertTrue(generated.getMessage().contains("token 129 does not fit"), generated.getMessage());
        assertTrue(generated.getMessage().contains("at most 64 of them dense"), generated.getMessage());
    }

    /** Touches all of its memory, which takes seconds: run with {@code -Dattune.large=true}. */
    @Test
    @EnabledIfSystemProperty(named = "attune.large", matches = "true")
    void aCacheOfMoreThanTwoGigabytesStoresItsTailBeyondThem() {
        LayerShape shape = new LayerShape(2, 1, 512, 8, false);
        LayerKernels kernels = Attune.kernels(ReferenceProvider.scalar(shape));
        // 2.3 GB of packed tiles that stay unused, then the dense tail.
        try (KeyValueCache cache = kernels.newCache(560_000, 64)) {
            assertTrue(cache.statistics().allocatedBytes() > 0x8000_0000L);
            float[] key = new float[512];
            Arrays.fill(key, 0.25f);
            cache.append(key, key);
            float[] output = new float[2 * 512];
            cache.attend(new float[2 * 512], output);
            assertEquals(0.25f, output[1023]);
            long tail = cache.memory().byteSize() - 2L * 2 * 64 * 512 * 4;
            assertEquals(0.25f, cache.memory().get(ValueLayout.JAVA_FLOAT, tail));
        }
    }
}
