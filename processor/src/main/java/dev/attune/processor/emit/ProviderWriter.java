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
import dev.attune.annotations.Strategy;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.SourceFingerprint;
import dev.attune.processor.model.Tuning;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.TunedPlans;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;

/** Writes the factory of a specification's kernels, with its numbers as data. */
final class ProviderWriter {

    private static final TypeName VARIANTS =
            ParameterizedTypeName.get(ClassName.get(List.class), GeneratedTypes.KERNEL_VARIANT);

    private static final TypeName TUNED_CHOICES =
            ParameterizedTypeName.get(ClassName.get(List.class), GeneratedTypes.TUNED_CHOICE);

    private final AttentionModel model;
    private final List<KernelPlan> plans;
    private final Optional<OpenClPlan> openCl;
    private final SourceFingerprint fingerprint;
    private final Tuning tuning;

    ProviderWriter(AttentionModel model, TunedPlans plans, SourceFingerprint fingerprint, Tuning tuning) {
        this.model = model;
        this.plans = plans.java();
        this.openCl = plans.openCl();
        this.fingerprint = fingerprint;
        this.tuning = tuning;
    }

    TypeSpec write() {
        TypeSpec.Builder type = TypeSpec.classBuilder(model.providerName())
                .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
                .addSuperinterface(GeneratedTypes.KERNEL_PROVIDER)
                .addJavadoc(ClassDocumentation.provider(model, tuning))
                .addField(constant(GeneratedTypes.LAYER_SHAPE, "SHAPE", shape()))
                .addField(constant(GeneratedTypes.CACHE_LAYOUT, "LAYOUT", layout()))
                .addField(constant(GeneratedTypes.FINGERPRINT, "FINGERPRINT", fingerprint()))
                .addField(constant(VARIANTS, "VARIANTS", variants()))
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
                .addMethod(accessor("fingerprint", GeneratedTypes.FINGERPRINT)
                        .addStatement("return FINGERPRINT")
                        .build())
                .addMethod(accessor("variants", VARIANTS).addStatement("return VARIANTS").build())
                .addMethod(create());
        if (!tuning.choices().isEmpty()) {
            type.addField(constant(TUNED_CHOICES, "TUNED_CHOICES", tunedChoices()))
                    .addMethod(accessor("tunedChoices", TUNED_CHOICES)
                            .addStatement("return TUNED_CHOICES")
                            .build());
        }
        openCl.ifPresent(plan -> type.addMethod(openCl(plan)));
        return type.build();
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

    private CodeBlock fingerprint() {
        return CodeBlock.of(
                "new $T($S, $S)", GeneratedTypes.FINGERPRINT, fingerprint.specification(), fingerprint.sources());
    }

    private CodeBlock variants() {
        Stream<CodeBlock> device = openCl.stream()
                .map(plan -> variant(plan.name(), Backend.OPENCL, Strategy.GATHER, plan.heads(), 1, 0));
        Stream<CodeBlock> java = plans.stream()
                .map(plan -> variant(
                        plan.name(),
                        plan.backend(),
                        plan.strategy(),
                        plan.headGroup(),
                        plan.streams(),
                        plan.readAheadTiles()));
        return CodeBlock.of(
                "$T.of(\n        $L)",
                List.class,
                Stream.concat(device, java).collect(CodeBlock.joining(",\n        ")));
    }

    private static CodeBlock variant(
            String name, Backend backend, Strategy strategy, int headGroup, int streams, int readAheadTiles) {
        return CodeBlock.of(
                "new $T($S, $T.$L, $T.$L, $L, $L, $L)",
                GeneratedTypes.KERNEL_VARIANT,
                name,
                GeneratedTypes.BACKEND,
                backend,
                GeneratedTypes.STRATEGY,
                strategy,
                headGroup,
                streams,
                readAheadTiles);
    }

    private CodeBlock tunedChoices() {
        return CodeBlock.of(
                "$T.of(\n        $L)",
                List.class,
                tuning.choices().stream()
                        .map(choice -> CodeBlock.of(
                                "new $T($S,$W$S,$W$L,$W$L,$W$S)",
                                GeneratedTypes.TUNED_CHOICE,
                                choice.machine().processor(),
                                choice.machine().architecture(),
                                choice.contextTokens(),
                                choice.threads(),
                                choice.variant()))
                        .collect(CodeBlock.joining(",\n        ")));
    }

    private MethodSpec create() {
        CodeBlock.Builder cases = CodeBlock.builder().add("return switch (variant.name()) {\n$>");
        for (KernelPlan plan : plans) {
            cases.add("case $S -> new $T();\n", plan.name(), ClassName.get(model.packageName(), plan.className()));
        }
        cases.add(
                "default -> throw new $T(\n        $S\n                + variant.name()\n                + $S);\n",
                IllegalArgumentException.class,
                model.specificationName() + " has no Java kernels ",
                "; variants() lists those it has");
        return accessor("create", GeneratedTypes.ATTENTION_KERNELS)
                .addParameter(GeneratedTypes.KERNEL_VARIANT, "variant")
                .addCode(cases.add("$<};\n").build())
                .build();
    }

    private MethodSpec openCl(OpenClPlan plan) {
        return accessor(
                        "openCl",
                        ParameterizedTypeName.get(ClassName.get(Optional.class), GeneratedTypes.OPEN_CL_KERNELS))
                .addStatement(
                        "return $T.of(new $T())",
                        Optional.class,
                        ClassName.get(model.packageName(), plan.className()))
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
