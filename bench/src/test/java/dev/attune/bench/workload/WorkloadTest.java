package dev.attune.bench.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.annotations.NumberFormat;
import dev.attune.bench.layers.Layer;
import dev.attune.bench.layers.Layers;
import dev.attune.bench.layers.Pruning;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class WorkloadTest {

    private static final int TOKENS = 192;
    private static final int HEADS = 8;
    private static final int HEAD_DIM = 128;

    /** The layer's channel scales, which a step reads too. */
    private static final int SCALES = 4 * HEAD_DIM * HEADS;

    private static final RandomPrompt PROMPT = new RandomPrompt(HEAD_DIM, TOKENS);

    @AfterAll
    static void close() {
        PROMPT.close();
    }

    /** Bytes per token and head are those of docs/packed-format.md. */
    @Test
    void aDecodeStepReadsTheWholeCache() {
        assertEquals(512 * TOKENS * HEADS + SCALES, bytes(Operation.DECODE_STEP, Pruning.DENSE));
        assertEquals((100 + 256) * TOKENS * HEADS + SCALES, bytes(Operation.DECODE_STEP, Pruning.KEYS_80));
        assertEquals((100 + 98) * TOKENS * HEADS + SCALES, bytes(Operation.DECODE_STEP, Pruning.KEYS_80_VALUES_80));
    }

    @Test
    void eachSideOfADecodeStepReadsItsPartOfTheTiles() {
        assertEquals(256 * TOKENS * HEADS + SCALES, bytes(Operation.KEY_SCORES, Pruning.DENSE));
        assertEquals(100 * TOKENS * HEADS + SCALES, bytes(Operation.KEY_SCORES, Pruning.KEYS_80_VALUES_80));
        assertEquals(256 * TOKENS * HEADS, bytes(Operation.VALUE_SUMS, Pruning.KEYS_80));
        assertEquals(98 * TOKENS * HEADS, bytes(Operation.VALUE_SUMS, Pruning.KEYS_80_VALUES_80));
    }

    @Test
    void packingReadsFloatsAndWritesItsSideOfTheTile() {
        int floats = 4 * HEAD_DIM;
        assertEquals((floats + 256) * TOKENS * HEADS, bytes(Operation.PACK_KEYS, Pruning.DENSE));
        assertEquals((floats + 100) * TOKENS * HEADS, bytes(Operation.PACK_KEYS, Pruning.KEYS_80_VALUES_80));
        assertEquals((floats + 256) * TOKENS * HEADS, bytes(Operation.PACK_VALUES, Pruning.KEYS_80));
        assertEquals((floats + 98) * TOKENS * HEADS, bytes(Operation.PACK_VALUES, Pruning.KEYS_80_VALUES_80));
    }

    private static long bytes(Operation operation, Pruning pruning) {
        try (Workload workload = operation.open(layer(pruning), PROMPT, TOKENS, 1)) {
            assertEquals(TOKENS * HEADS, workload.tokenHeads());
            return workload.bytes();
        }
    }

    /** Three tiles of eight heads on three threads: more chunks than threads. */
    @Test
    void threadsThatShareTheTilesWriteWhatOneThreadWrites() {
        for (Operation operation : new Operation[] {Operation.PACK_KEYS, Operation.PACK_VALUES}) {
            try (TileWorkload one = open(operation, 1);
                    TileWorkload three = open(operation, 3)) {
                one.step();
                three.step();
                assertEquals(-1, one.cache.mismatch(three.cache), operation.toString());
            }
        }
    }

    private static TileWorkload open(Operation operation, int threads) {
        return (TileWorkload) operation.open(layer(Pruning.KEYS_80_VALUES_80), PROMPT, TOKENS, threads);
    }

    @Test
    void partOfATileIsRefused() {
        Exception refusal = assertThrows(
                IllegalArgumentException.class,
                () -> Operation.PACK_KEYS.open(layer(Pruning.DENSE), PROMPT, 100, 1));
        assertTrue(refusal.getMessage().startsWith("100 tokens"), refusal.getMessage());
    }

    private static Layer layer(Pruning pruning) {
        return Layers.get(HEAD_DIM, 4, pruning, NumberFormat.BFLOAT16);
    }
}
