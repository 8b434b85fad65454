package dev.attune.runtime.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import dev.attune.runtime.kernels.PackedHead.Attended;
import dev.attune.runtime.spi.AttentionKernels;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Kernels that share static tables, at work in more threads at once than the tables have parts. */
class SharedTablesTest {

    private static final int TOKENS = 200;

    private static final int CALLS = 20;

    /** Seven heads take two rows each: one of four and one of three heads. */
    private final AttentionModel model = Specifications.layer("Shared", 1, 7, 64, Specifications.VECTORS);

    @Test
    void everyThreadGetsWhatItGetsAlone() throws Exception {
        KernelProvider provider = CompiledSpecifications.of(List.of(model)).provider(model);
        List<KernelVariant> variants = provider.variants().stream()
                .filter(variant -> variant.strategy() == Strategy.GATHER)
                .filter(variant -> variant.backend().usesVectors())
                .toList();
        assertFalse(variants.isEmpty());
        int count = 3 * Runtime.getRuntime().availableProcessors();
        for (KernelVariant variant : variants) {
            CountDownLatch ready = new CountDownLatch(count);
            List<Future<?>> threads = new ArrayList<>();
            try (ExecutorService executor = Executors.newFixedThreadPool(count)) {
                for (int seed = 0; seed < count; seed++) {
                    Work work = new Work(provider, variant, seed);
                    threads.add(executor.submit(() -> {
                        ready.countDown();
                        ready.await();
                        work.repeat();
                        return null;
                    }));
                }
                for (Future<?> thread : threads) {
                    thread.get();
                }
            }
        }
    }

    /** Kernels and data of one thread, with the results they have while no other thread is at work. */
    private final class Work {

        private final AttentionKernels kernels;
        private final PackedHead head;
        private final float[] queries;
        private final float[] weights;
        private final Attended attended;
        private final float[] scores;
        private final float[] sums;

        private Work(KernelProvider provider, KernelVariant variant, int seed) {
            Random random = new Random(seed);
            kernels = provider.create(variant);
            float[] scales = new float[model.headDim()];
            queries = gaussians(random, model.groupSize() * model.headDim());
            kernels.scoreChannels(0, queries, 1, scales);
            head = new PackedHead(provider, kernels, Tokens.random(random, TOKENS, model.headDim()), scales);
            weights = gaussians(random, model.groupSize() * TOKENS);
            for (int i = 0; i < weights.length; i++) {
                weights[i] = Math.abs(weights[i]);
            }
            attended = head.attend(kernels, queries);
            scores = head.scores(kernels, queries);
            sums = head.sums(kernels, weights);
        }

        private void repeat() {
            for (int call = 0; call < CALLS; call++) {
                Attended again = head.attend(kernels, queries);
                assertArrayEquals(attended.output(), again.output());
                assertArrayEquals(attended.logSumExp(), again.logSumExp());
                assertArrayEquals(scores, head.scores(kernels, queries));
                assertArrayEquals(sums, head.sums(kernels, weights));
            }
        }
    }

    private static float[] gaussians(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
