package dev.attune.bench.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpellingTest {

    private static final List<String> NAMES =
            List.of("GemmaAttention", "Llama31Attention", "Llama32Attention", "Qwen3Attention");

    @Test
    void distanceCountsLetters() {
        assertEquals(0, Spelling.distance("abc", "ABC"));
        assertEquals(3, Spelling.distance("", "abc"));
        assertEquals(3, Spelling.distance("kitten", "sitting"));
        assertEquals(1, Spelling.distance("Llama31", "Lama31"));
    }

    @Test
    void theNearestNameComesFirst() {
        assertEquals(List.of("Llama32Attention", "Llama31Attention"), Spelling.near("Lama32Attention", NAMES));
        assertEquals(List.of("Llama31Attention", "Llama32Attention"), Spelling.near("llama3", NAMES));
    }

    @Test
    void whatIsFarFromAllNamesIsNearNone() {
        assertEquals(List.of(), Spelling.near("MistralAttn", NAMES));
        assertEquals(List.of(), Spelling.near("xyz", NAMES));
    }
}
