package dev.attune.processor.emit;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.TypeName;
import dev.attune.annotations.Backend;
import javax.lang.model.element.Modifier;

/** The signatures of the runtime's {@code AttentionKernels}, ready for their bodies. */
final class KernelMethods {

    static final TypeName FLOATS = ArrayTypeName.of(float.class);

    private KernelMethods() {}

    static MethodSpec backend(Backend backend) {
        return implementing("backend")
                .returns(GeneratedTypes.BACKEND)
                .addStatement("return $T.$L", GeneratedTypes.BACKEND, backend)
                .build();
    }

    static MethodSpec.Builder scoreChannels() {
        return implementing("scoreChannels")
                .addParameter(int.class, "head")
                .addParameter(FLOATS, "windowQueries")
                .addParameter(int.class, "positions")
                .addParameter(FLOATS, "scales");
    }

    static MethodSpec.Builder packKeys() {
        return implementing("packKeys")
                .addParameter(int.class, "head")
                .addParameter(FLOATS, "keys")
                .addParameter(FLOATS, "scales")
                .addParameter(cache())
                .addParameter(long.class, "tile");
    }

    static MethodSpec.Builder packValues() {
        return implementing("packValues")
                .addParameter(FLOATS, "values")
                .addParameter(cache())
                .addParameter(long.class, "tile");
    }

    static MethodSpec.Builder unpackKeys() {
        return implementing("unpackKeys")
                .addParameter(int.class, "head")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(FLOATS, "scales")
                .addParameter(FLOATS, "keys");
    }

    static MethodSpec.Builder unpackValues() {
        return implementing("unpackValues")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(FLOATS, "values");
    }

    static MethodSpec.Builder storeDense() {
        return implementing("storeDense")
                .addParameter(FLOATS, "key")
                .addParameter(FLOATS, "value")
                .addParameter(int.class, "offset")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(int.class, "token");
    }

    static MethodSpec.Builder loadDense() {
        return implementing("loadDense")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(FLOATS, "keys")
                .addParameter(FLOATS, "values");
    }

    static MethodSpec.Builder scoreKeys() {
        return implementing("scoreKeys")
                .addParameter(int.class, "head")
                .addParameter(FLOATS, "queries")
                .addParameter(FLOATS, "scales")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(int.class, "packedTokens")
                .addParameter(FLOATS, "scores");
    }

    static MethodSpec.Builder sumValues() {
        return implementing("sumValues")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(int.class, "packedTokens")
                .addParameter(FLOATS, "weights")
                .addParameter(FLOATS, "output");
    }

    static MethodSpec.Builder attend() {
        return implementing("attend")
                .addParameter(int.class, "head")
                .addParameter(FLOATS, "queries")
                .addParameter(FLOATS, "scales")
                .addParameter(cache())
                .addParameter(long.class, "tile")
                .addParameter(int.class, "packedTokens")
                .addParameter(long.class, "dense")
                .addParameter(int.class, "denseTokens")
                .addParameter(FLOATS, "output")
                .addParameter(FLOATS, "logSumExp");
    }

    /** A private method of a kernel class. */
    static MethodSpec.Builder step(String name) {
        return MethodSpec.methodBuilder(name).addModifiers(Modifier.PRIVATE);
    }

    static ParameterSpec cache() {
        return ParameterSpec.builder(KernelText.MEMORY_SEGMENT, "cache").build();
    }

    private static MethodSpec.Builder implementing(String name) {
        return MethodSpec.methodBuilder(name).addAnnotation(Override.class).addModifiers(Modifier.PUBLIC);
    }
}
