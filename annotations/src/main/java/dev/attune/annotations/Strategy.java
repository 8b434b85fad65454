package dev.attune.annotations;

/** How kernels look up the query's channels and the tokens' weights that kept entries are multiplied by. */
public enum Strategy {

    /** One by one, from memory: plain Java. */
    SCALAR,

    /** A vector of entries at a time, by permutes that select from two vectors of a table. */
    PERMUTE,

    /**
     * One entry at a time, by its index: a row that holds the numbers of all query heads of a pass side by side. Takes
     * no permutes, and in 128 bits no fused multiply-adds either.
     */
    GATHER
}
