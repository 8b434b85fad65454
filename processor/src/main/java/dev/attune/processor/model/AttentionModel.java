package dev.attune.processor.model;

import dev.attune.annotations.Backend;
import java.util.List;

/**
 * A validated specification: everything the generated text depends on.
 *
 * @param packageName the annotated interface's package, empty for the unnamed one
 * @param specificationName its name as written within the package, {@code Outer.Foo} for a nested one
 * @param queryHeads number of query heads
 * @param keyValueHeads number of key-value heads
 * @param headDim channels of one head
 * @param keys how keys are pruned
 * @param values how values are pruned
 * @param window observation window in positions
 * @param packGenerated whether generated tokens are packed
 * @param backends the backends to generate: {@link Backend#OPENCL}, then vectors, the widest first; {@link
 *     Backend#SCALAR} is implied
 */
public record AttentionModel(
        String packageName,
        String specificationName,
        int queryHeads,
        int keyValueHeads,
        int headDim,
        PruningModel keys,
        PruningModel values,
        int window,
        boolean packGenerated,
        List<Backend> backends) {

    /** Copies the list of backends. */
    public AttentionModel {
        backends = List.copyOf(backends);
    }

    /** Returns the number of query heads per key-value head. */
    public int groupSize() {
        return queryHeads / keyValueHeads;
    }

    /** Returns the vector backends to generate, the widest first. */
    public List<Backend> vectorBackends() {
        return backends.stream().filter(Backend::usesVectors).toList();
    }

    /** Returns whether an OpenCL program is generated. */
    public boolean hasOpenCl() {
        return backends.contains(Backend.OPENCL);
    }

    /** Returns the prefix of all generated class names: {@code Outer_Foo} for {@code Outer.Foo}. */
    public String baseName() {
        return specificationName.replace('.', '_');
    }

    /** Returns the simple name of the generated factory. */
    public String providerName() {
        return baseName() + "Kernels";
    }

    /** Returns the simple name of the class generated for a backend. */
    public String kernelsName(Backend backend) {
        return kernelsName(backend, "");
    }

    /**
     * Returns the simple name of the class generated for a variant of a backend.
     *
     * @param variant what sets it apart from the backend's default, {@code Heads2Streams2}; empty for the default
     */
    public String kernelsName(Backend backend, String variant) {
        String name = switch (backend) {
            case SCALAR -> "Scalar";
            case VECTOR_128, VECTOR_256, VECTOR_512 -> "Vector" + backend.vectorBits();
            case OPENCL -> "OpenCl";
        };
        return baseName() + name + variant + "Kernels";
    }

    /** Returns the qualified form of a simple name in this specification's package. */
    public String qualify(String simpleName) {
        return packageName.isEmpty() ? simpleName : packageName + "." + simpleName;
    }
}
