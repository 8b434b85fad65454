package dev.attune.runtime;

/** Operations on vectors that kernels are built on, and that not every JVM compiles to instructions. */
enum VectorOperation {

    /** Permutes that select from two vectors. */
    PERMUTE,

    /** The same in an instruction or two, instead of several that pick from one vector. */
    QUICK_PERMUTE,

    /** Multiplying and adding at once, {@code fma}. */
    MULTIPLY_ADD,

    /** The other operations of rows of heads: products and sums, maxima, comparisons, widening. */
    ARITHMETIC
}
