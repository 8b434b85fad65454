package dev.attune.runtime;

/** The facts about this JVM and machine that decide which backends can run. */
interface Platform {

    /** The module the Vector API lives in. */
    String VECTOR_MODULE = "jdk.incubator.vector";

    /** Returns whether the Vector API can be used at all. */
    boolean vectorModuleResolved();

    /**
     * Returns the widest vectors the machine handles well. Wider ones still compute the right result, about a thousand
     * times slower. Asked only if the module is resolved.
     */
    int preferredVectorBits();

    /**
     * Returns whether permutes that select from two vectors are compiled to instructions; kernels built on them are
     * useless otherwise. May take a fraction of a second. Asked only if the module is resolved.
     */
    boolean permutesCompiled();
}
