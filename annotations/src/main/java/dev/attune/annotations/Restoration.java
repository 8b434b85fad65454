package dev.attune.annotations;

/** What stands in for a pruned entry. */
public enum Restoration {

    /**
     * Its sign times one amplitude: for keys, the root mean square of the token's pruned channels (in the scaled
     * basis); for values, the mean magnitude of the channel's pruned tokens in the tile. An exact zero counts as
     * negative, as in the released SparK code.
     */
    SIGN,

    /** Zero (with {@link Centering#TILE}, the channel's mean). Known to lose retrieval; offered for contrast. */
    NONE
}
