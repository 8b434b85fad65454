package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import com.palantir.javapoet.WildcardTypeName;
import dev.attune.annotations.Backend;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.TileLayout;
import java.util.List;
import java.util.function.Function;
import javax.lang.model.element.Modifier;

/** Writes the factory of a specification's kernels, with its numbers as data. */
final class ProviderWriter {

    private final AttentionModel model;
    private final List<KernelPlan> plans;

    ProviderWriter(AttentionModel model, List<KernelPlan> plans) {
        this.model = model;
        this.plans = plans;
    }

    TypeSpec write() {
        return TypeSpec.classBuilder(model.providerName())
                .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
                .addSuperinterface(GeneratedTypes.KERNEL_PROVIDER)
                .addJavadoc(ClassDocumentation.provider(model))
                .addField(constant(GeneratedTypes.LAYER_SHAPE, "SHAPE", shape()))
                .addField(constant(GeneratedTypes.CACHE_LAYOUT, "LAYOUT", layout()))
                .addMethod(MethodSpec.constructorBuilder()
                        .addModifiers(Modifier.PUBLIC)
                        .addJavadoc("For {@link java.util.ServiceLoader}, or to be handed to the runtime directly.\n")
                        .build())
                .addMethod(accessor(
                                "specification",
                                ParameterizedTypeName.get(
                                        ClassName.get(Class.class), WildcardTypeName.subtypeOf(Object.class)))
                        .addStatement("return $T.class", ClassDocumentation.specification(model))
                        .build())
                .addMethod(accessor("shape", GeneratedTypes.LAYER_SHAPE)
                        .addStatement("return SHAPE")
                        .build())
                .addMethod(accessor("layout", GeneratedTypes.CACHE_LAYOUT)
                        .addStatement("return LAYOUT")
                        .build())
                .addMethod(accessor(
                                "backends",
                                ParameterizedTypeName.get(ClassName.get(List.class), GeneratedTypes.BACKEND))
                        .addStatement("return $T.of($L)", List.class, backends())
                        .build())
                .addMethod(strategy())
                .addMethod(create())
                .build();
    }

    private CodeBlock shape() {
        return CodeBlock.of(
                "new $T($L, $L, $L, $L, $L)",
                GeneratedTypes.LAYER_SHAPE,
                model.queryHeads(),
                model.keyValueHeads(),
                model.headDim(),
                model.window(),
                model.packGenerated());
    }

    private CodeBlock layout() {
        TileLayout layout = plans.getFirst().layout();
        List<CodeBlock> parts = layout.parts().stream()
                .map(part ->
                        CodeBlock.of("new $T.Part($S, $L)", GeneratedTypes.CACHE_LAYOUT, part.name(), part.bytes()))
                .toList();
        return CodeBlock.of(
                "new $T(\n        $L, $L, $L, $T.of(\n                $L))",
                GeneratedTypes.CACHE_LAYOUT,
                TileLayout.VERSION,
                layout.tileBytes(),
                layout.denseTileBytes(),
                List.class,
                CodeBlock.join(parts, ",\n                "));
    }

    private CodeBlock backends() {
        return plans.stream()
                .map(plan -> CodeBlock.of("$T.$L", GeneratedTypes.BACKEND, plan.backend()))
                .collect(CodeBlock.joining(", "));
    }

    private MethodSpec strategy() {
        return perBackend(
                "strategy",
                GeneratedTypes.STRATEGY,
                plan -> CodeBlock.of("$T.$L", GeneratedTypes.STRATEGY, plan.strategy()));
    }

    private MethodSpec create() {
        return perBackend(
                "create",
                GeneratedTypes.ATTENTION_KERNELS,
                plan -> CodeBlock.of("new $T()", ClassName.get(model.packageName(), plan.className())));
    }

    /** Writes a method that returns something for every generated backend, and throws for the others. */
    private MethodSpec perBackend(String name, TypeName type, Function<KernelPlan, CodeBlock> result) {
        CodeBlock.Builder cases = CodeBlock.builder().add("return switch (backend) {\n$>");
        for (KernelPlan plan : plans) {
            cases.add("case $L -> $L;\n", plan.backend(), result.apply(plan));
        }
        if (plans.size() < Backend.values().length) {
            cases.add(
                    "default -> throw new $T(\n        $S\n                + backend\n                + $S);\n",
                    IllegalArgumentException.class,
                    model.specificationName() + " has no kernels for ",
                    "; add it to the backends of its specification");
        }
        return accessor(name, type)
                .addParameter(GeneratedTypes.BACKEND, "backend")
                .addCode(cases.add("$<};\n").build())
                .build();
    }

    private static MethodSpec.Builder accessor(String name, TypeName type) {
        return MethodSpec.methodBuilder(name)
                .addAnnotation(Override.class)
                .addModifiers(Modifier.PUBLIC)
                .returns(type);
    }

    private static FieldSpec constant(TypeName type, String name, CodeBlock value) {
        return FieldSpec.builder(type, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .initializer(value)
                .build();
    }
}
