package dev.attune.runtime;

import static dev.attune.annotations.Backend.VECTOR_512;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.attune.reference.ReferenceKernels;
import dev.attune.runtime.spi.AttentionKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Kernels with one fault each are refused, in words that say which. */
class KernelVerificationTest {

    private static final int D = Impostors.SHAPE.headDim();
    private static final int GROUP = Impostors.SHAPE.groupSize();

    /** The last key-value head, whose rows are the last ones. */
    private static final int LAST = Impostors.SHAPE.keyValueHeads() - 1;

    /** Changes what the oracle has computed. */
    private interface Fault {

        void apply(int head, MemorySegment cache, float[] output, float[] logSumExp);
    }

    @Test
    void theOraclesOwnResultsPass() {
        assertEquals(Optional.empty(), problem(() -> new ReferenceKernels(Impostors.SHAPE, VECTOR_512)));
    }

    @Test
    void roundingAsLookupsInBfloat16DoPasses() {
        assertEquals(Optional.empty(), problem((head, cache, output, logSumExp) -> {
            for (int i = head * GROUP * D; i < (head + 1) * GROUP * D; i++) {
                output[i] *= 1 + (i % 2 == 0 ? 1 : -1) / 512f;
            }
        }));
    }

    @Test
    void oneWrongNumberIsRefused() {
        assertRefused("the normalised mean square error of query head 2 is", (head, cache, output, logSumExp) -> {
            if (head == LAST) {
                output[LAST * GROUP * D + 3] += 1;
            }
        });
    }

    @Test
    void notANumberIsRefused() {
        assertRefused("output 3 of query head 0 is NaN", (head, cache, output, logSumExp) -> output[3] = Float.NaN);
    }

    @Test
    void anOutputThatIsNotWrittenIsRefused() {
        assertRefused("output 15 of query head 3 is NaN", (head, cache, output, logSumExp) -> {
            if (head == LAST) {
                output[(LAST * GROUP + 1) * D + 15] = Float.intBitsToFloat(0x7FC0_0001);
            }
        });
    }

    @Test
    void aWrongLogSumExpIsRefused() {
        assertRefused("the log-sum-exp of query head 1 is", (head, cache, output, logSumExp) -> logSumExp[1] += 0.1f);
        assertRefused(
                "the log-sum-exp of query head 1 is NaN", (head, cache, output, logSumExp) -> logSumExp[1] = Float.NaN);
    }

    @Test
    void writingToAnotherHeadsRowsIsRefused() {
        assertRefused("it wrote beyond its outputs", (head, cache, output, logSumExp) -> output[GROUP * D] = 0);
        assertRefused("it wrote beyond its outputs", (head, cache, output, logSumExp) -> {
            if (head == LAST) {
                output[LAST * GROUP * D - 1] = 0;
            }
        });
        assertRefused("it wrote beyond its outputs", (head, cache, output, logSumExp) -> logSumExp[GROUP] = 0);
    }

    @Test
    void writingBehindTheOutputsIsRefusedEvenIfItIsNotANumber() {
        assertRefused(
                "it wrote beyond its outputs",
                (head, cache, output, logSumExp) -> output[Impostors.SHAPE.queryHeads() * D] = Float.NaN);
        assertRefused(
                "it wrote beyond its outputs",
                (head, cache, output, logSumExp) -> logSumExp[Impostors.SHAPE.queryHeads()] = Float.NaN);
    }

    @Test
    void changingTheCacheWhileDecodingIsRefused() {
        assertRefused(
                "it changed the cache while decoding",
                (head, cache, output, logSumExp) -> cache.set(ValueLayout.JAVA_BYTE, cache.byteSize() - 1, (byte) 77));
    }

    @Test
    void anotherByteInThePackedCacheIsRefused() {
        assertRefused("of what it packed differs from the oracle's", () -> new ReferenceKernels(
                Impostors.SHAPE, VECTOR_512) {
            @Override
            public void packValues(float[] values, MemorySegment cache, long tile) {
                super.packValues(values, cache, tile);
                // Of the third tile only.
                if (tile == 2L * 2 * 64 * D * Float.BYTES) {
                    cache.set(ValueLayout.JAVA_BYTE, tile + 5, (byte) 77);
                }
            }
        });
    }

    @Test
    void aTokenStoredInAnotherPlaceIsRefused() {
        assertRefused("of what it packed differs from the oracle's", () -> new ReferenceKernels(
                Impostors.SHAPE, VECTOR_512) {
            @Override
            public void storeDense(float[] key, float[] value, int offset, MemorySegment cache, long tile, int token) {
                super.storeDense(key, value, offset, cache, tile, token == 36 ? 37 : token);
            }
        });
    }

    @Test
    void otherChannelScalesAreRefused() {
        assertRefused("its channel scales differ from the oracle's", () -> new ReferenceKernels(
                Impostors.SHAPE, VECTOR_512) {
            @Override
            public void scoreChannels(int head, float[] windowQueries, int positions, float[] scales) {
                super.scoreChannels(head, windowQueries, positions, scales);
                scales[head * D] = Math.nextUp(scales[head * D]);
            }
        });
    }

    @Test
    void leavingOutTokensIsRefused() {
        assertRefused("query head", () -> new ReferenceKernels(Impostors.SHAPE, VECTOR_512) {
            @Override
            public void attend(
                    int head,
                    float[] queries,
                    float[] scales,
                    MemorySegment cache,
                    long tile,
                    int packedTokens,
                    long dense,
                    int denseTokens,
                    float[] output,
                    float[] logSumExp) {
                int halved = packedTokens / 2;
                super.attend(head, queries, scales, cache, tile, halved, dense, denseTokens, output, logSumExp);
            }
        });
    }

    @Test
    void whatTheKernelsThrowIsTheReason() {
        assertRefused(
                "it failed on random tokens 1: java.lang.ArithmeticException: in the kernel",
                (head, cache, output, logSumExp) -> {
                    throw new ArithmeticException("in the kernel");
                });
        assertRefused("it failed on random tokens 1: java.lang.NoClassDefFoundError: a class of vectors", () -> {
            throw new NoClassDefFoundError("a class of vectors");
        });
    }

    @Test
    void anInterruptCancelsItAndRefusesNothing() {
        Thread.currentThread().interrupt();
        try {
            assertThrows(
                    CancellationException.class,
                    () -> problem(() -> new ReferenceKernels(Impostors.SHAPE, VECTOR_512)));
        } finally {
            assertTrue(Thread.interrupted(), "the interrupt is kept");
        }
    }

    private static void assertRefused(String words, Fault fault) {
        assertRefused(words, () -> faulty(fault));
    }

    private static void assertRefused(String words, Supplier<AttentionKernels> kernels) {
        Optional<String> problem = problem(kernels);
        assertTrue(problem.orElse("nothing is wrong").contains(words), () -> problem + " instead of " + words);
    }

    private static Optional<String> problem(Fault fault) {
        return problem(() -> faulty(fault));
    }

    private static Optional<String> problem(Supplier<AttentionKernels> kernels) {
        return KernelVerification.problem(
                new Impostors().with("impostor", kernels).provider(), Impostors.variant("impostor"));
    }

    private static AttentionKernels faulty(Fault fault) {
        return new ReferenceKernels(Impostors.SHAPE, VECTOR_512) {
            @Override
            public void attend(
                    int head,
                    float[] queries,
                    float[] scales,
                    MemorySegment cache,
                    long tile,
                    int packedTokens,
                    long dense,
                    int denseTokens,
                    float[] output,
                    float[] logSumExp) {
                super.attend(head, queries, scales, cache, tile, packedTokens, dense, denseTokens, output, logSumExp);
                fault.apply(head, cache, output, logSumExp);
            }
        };
    }
}
