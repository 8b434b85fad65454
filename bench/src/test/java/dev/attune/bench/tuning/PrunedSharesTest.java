package dev.attune.bench.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.examples.specs.Llama31Attention;
import dev.attune.examples.specs.Llama32Attention;
import dev.attune.examples.specs.Qwen3Attention;
import org.junit.jupiter.api.Test;

class PrunedSharesTest {

    @Test
    void whatIsWrittenOutIsRead() {
        assertEquals(new PrunedShares(0.8, 0.8), PrunedShares.of(Llama31Attention.class));
        assertEquals(new PrunedShares(0.8, 0.5), PrunedShares.of(Qwen3Attention.class));
    }

    @Test
    void whatIsNotWrittenOutIsTheDefault() {
        assertEquals(new PrunedShares(0.8, 0), PrunedShares.of(Llama32Attention.class));
    }

    @Test
    void anInterfaceWithoutTheAnnotationIsRefused() {
        var refused = assertThrows(IllegalArgumentException.class, () -> PrunedShares.of(Runnable.class));
        assertTrue(refused.getMessage().contains("@AttentionSpec"), refused.getMessage());
    }
}
