package dev.attune.runtime;

import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.spi.KernelVariant;
import dev.attune.runtime.spi.LayerShape;
import dev.attune.runtime.tuning.Contestant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Decode steps over a cache in the memory of devices, from the host's queries to the host's outputs. */
final class DeviceContestant implements Contestant, AutoCloseable {

    private static final int BLOCK_TOKENS = 1024;
    private static final long SEED = 1;

    private final String name;
    private final KeyValueCache cache;
    private final float[] queries;
    private final float[] output;

    DeviceContestant(KernelProvider provider, KernelVariant variant, int tokens) {
        LayerShape shape = provider.shape();
        Random random = new Random(SEED);
        this.name = variant.name();
        this.queries = RandomCaches.gaussians(random, shape.queryHeads() * shape.headDim(), 1);
        this.output = new float[queries.length];
        this.cache = Attune.kernels(provider, KernelPolicy.free().forcing(name)).newCache(tokens, 0);
        try (Arena arena = Arena.ofShared()) {
            cache.prefill(
                    repeated(arena, shape, tokens, random),
                    repeated(arena, shape, tokens, random),
                    MemorySegment.ofArray(queries));
        } catch (RuntimeException | Error failure) {
            cache.close();
            throw failure;
        }
    }

    /** Returns {@code [keyValueHeads][tokens][headDim]}, a block of random tokens over and over. */
    private static MemorySegment repeated(Arena arena, LayerShape shape, int tokens, Random random) {
        float[] block = RandomCaches.gaussians(random, Math.min(tokens, BLOCK_TOKENS) * shape.headDim(), 1);
        MemorySegment source = MemorySegment.ofArray(block);
        MemorySegment all = arena.allocate((long) shape.keyValueHeads() * tokens * shape.headDim() * Float.BYTES, 64);
        for (long at = 0; at < all.byteSize(); at += source.byteSize()) {
            MemorySegment.copy(source, 0, all, at, Math.min(source.byteSize(), all.byteSize() - at));
        }
        return all;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void run(int times) {
        for (int i = 0; i < times; i++) {
            cache.attend(queries, output);
        }
    }

    @Override
    public void close() {
        cache.close();
    }
}
