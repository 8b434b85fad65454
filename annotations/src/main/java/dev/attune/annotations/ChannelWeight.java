package dev.attune.annotations;

/**
 * The weight {@code n_j} of channel {@code j} of a key-value head, from the queries {@code q[g][p][j]} of its
 * {@code G} query heads at the {@code W} positions of the observation window.
 */
public enum ChannelWeight {

    /** {@code || mean_g q[g][p][j] ||_2} over the positions: the released SparK code; heads of opposite sign cancel. */
    MEAN,

    /** Root mean square of {@code q[g][p][j]} over heads and positions; nothing cancels. */
    RMS
}
