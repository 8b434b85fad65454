package dev.attune.annotations;

/** What a kernel runs on. */
public enum Backend {

    /** Plain Java: always generated, always available, and the oracle the others are verified against. */
    SCALAR(0),

    /** Java Vector API with 128-bit vectors. */
    VECTOR_128(128),

    /** Java Vector API with 256-bit vectors. */
    VECTOR_256(256),

    /** Java Vector API with 512-bit vectors. */
    VECTOR_512(512),

    /**
     * OpenCL C through Aparapi, for graphics processors above all: the cache lives in the device's memory. Generated
     * only where asked for; needs Aparapi and a driver to run.
     */
    OPENCL(0);

    private final int vectorBits;

    Backend(int vectorBits) {
        this.vectorBits = vectorBits;
    }

    /** Returns the vector width in bits, 0 for {@link #SCALAR} and {@link #OPENCL}. */
    public int vectorBits() {
        return vectorBits;
    }

    /** Returns whether the backend needs the module {@code jdk.incubator.vector}. */
    public boolean usesVectors() {
        return vectorBits > 0;
    }
}
