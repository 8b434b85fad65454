package dev.attune.runtime;

import jdk.incubator.vector.VectorShape;

/** Touches the Vector API: loaded only once its module is known to be resolved. */
final class PreferredVectors {

    private PreferredVectors() {}

    static int bits() {
        return VectorShape.preferredShape().vectorBitSize();
    }
}
