package dev.attune.annotations;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes one attention layer whose key-value cache is kept channel-pruned.
 *
 * <p>Put it on an interface; the processor generates kernels specialised to it in the same package. Three numbers
 * suffice:
 *
 * <pre>{@code
 * @AttentionSpec(queryHeads = 32, keyValueHeads = 8, headDim = 128)
 * public interface Llama31Attention {}
 * }</pre>
 *
 * <p>That prunes 80 % of the key channels (centred, restored by their signs) and keeps the values dense. Prune the
 * values too with {@code values = @ChannelPruning(ratio = 0.8)}.
 *
 * <p>The kernels of {@code Foo} are found by {@code Attune.kernels(Foo.class)} of the runtime module.
 */
@Documented
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.CLASS)
public @interface AttentionSpec {

    /** Number of query heads, 1 to 1024; a multiple of {@link #keyValueHeads()}. */
    int queryHeads();

    /** Number of key-value heads, 1 to 1024, each shared by {@code queryHeads / keyValueHeads} query heads (GQA). */
    int keyValueHeads();

    /** Channels of one head: a multiple of 16 between 16 and 512. */
    int headDim();

    /** How keys are pruned: per token, the channels that matter most to recent queries are kept. */
    ChannelPruning keys() default @ChannelPruning(ratio = 0.8);

    /**
     * How values are pruned: per channel, the tokens of a 64-token tile with the largest magnitude are kept. Dense by
     * default. {@link ChannelPruning#channelWeight()} and {@link ChannelPruning#centering()} apply to keys only.
     */
    ChannelPruning values() default @ChannelPruning(ratio = 0);

    /** Observation window: how many of the prompt's last query positions may score the key channels; at least 1. */
    int window() default 32;

    /**
     * Whether generated tokens are packed too. If so, tokens are packed whenever 64 of them fill a tile, and the newest
     * ones, the rest of the prompt included, wait dense. {@code false} is how the released SparK code treats a cache:
     * the prompt is packed whole, its last, partial tile included, and every token appended after it stays dense.
     */
    boolean packGenerated() default true;

    /**
     * The backends to generate kernels for: every vector width by default, {@link Backend#OPENCL} only if it is named.
     * {@link Backend#SCALAR} is always generated: it is the oracle the others are verified against, and the fallback.
     */
    Backend[] backends() default {Backend.VECTOR_512, Backend.VECTOR_256, Backend.VECTOR_128};
}
