package dev.attune.annotations;

import java.lang.annotation.Documented;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * How one side of the cache, keys or values, is pruned (SparK, arXiv 2508.15212).
 *
 * <p>With head dimension {@code d} and ratio {@code r}, each token keeps {@code T = d - floor(r * d)} key channels;
 * each value channel keeps {@code 64 - floor(r * 64)} tokens of every 64-token tile. A ratio of 0 stores the side
 * dense in {@link #format()}, which must then not be one of integers, and the other settings have no effect.
 */
@Documented
@Target({})
@Retention(RetentionPolicy.CLASS)
public @interface ChannelPruning {

    /** Fraction that is pruned, in {@code [0, 1)}. */
    double ratio() default 0.8;

    /** What stands in for a pruned entry while scores and sums are computed. */
    Restoration restoration() default Restoration.SIGN;

    /** How the window's queries weigh the channels; keys only. */
    ChannelWeight channelWeight() default ChannelWeight.MEAN;

    /** What is subtracted from the keys before channels are selected; keys only. */
    Centering centering() default Centering.TILE;

    /** Number format of the kept entries, and of dense tokens unless it is one of integers. */
    NumberFormat format() default NumberFormat.BFLOAT16;
}
