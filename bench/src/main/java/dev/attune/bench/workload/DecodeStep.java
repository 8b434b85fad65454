package dev.attune.bench.workload;

import dev.attune.annotations.Backend;
import dev.attune.bench.layers.Layer;
import dev.attune.runtime.Attune;
import dev.attune.runtime.KeyValueCache;

/** One decode step of one layer through the public cache: all heads, scores to output. */
final class DecodeStep implements Workload {

    private final KeyValueCache cache;
    private final long tokenHeads;
    private final float[] queries;
    private final float[] output;

    DecodeStep(Layer layer, RandomPrompt prompt, int tokens, int threads) {
        System.setProperty("attune.threads", Integer.toString(threads));
        var kernels = Attune.kernels(layer.provider());
        int queryHeads = kernels.shape().queryHeads();
        tokenHeads = (long) tokens * kernels.shape().keyValueHeads();
        queries = prompt.queries(queryHeads);
        output = new float[queries.length];
        cache = kernels.newCache(tokens, 0);
        cache.prefill(prompt.keys(tokens), prompt.values(tokens), prompt.windowQueries(queryHeads));
    }

    @Override
    public void step() {
        cache.attend(queries, output);
    }

    @Override
    public Backend backend() {
        return cache.backend();
    }

    @Override
    public long tokenHeads() {
        return tokenHeads;
    }

    @Override
    public long bytes() {
        return cache.statistics().bytes();
    }

    @Override
    public void close() {
        cache.close();
    }
}
