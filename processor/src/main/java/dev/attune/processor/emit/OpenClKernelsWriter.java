package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.emit.opencl.OpenClProgramWriter;
import dev.attune.processor.plan.NvidiaPlan;
import dev.attune.processor.plan.OpenClPlan;
import java.util.Optional;
import javax.lang.model.element.Modifier;

/** Writes the class that carries the OpenCL programs, as text blocks, and what is needed to launch them. */
final class OpenClKernelsWriter {

    private final OpenClPlan plan;

    OpenClKernelsWriter(OpenClPlan plan) {
        this.plan = plan;
    }

    TypeSpec write() {
        TypeSpec.Builder type = TypeSpec.classBuilder(plan.className())
                .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
                .addSuperinterface(GeneratedTypes.OPEN_CL_KERNELS)
                .addJavadoc(ClassDocumentation.openCl(plan))
                .addField(text(
                        "COMMON", "Constants, and the kernels that pack, store and move tiles.",
                        OpenClProgramWriter.common(plan)))
                .addField(text("ATTEND", "The decode step for any device.", OpenClProgramWriter.attend(plan)));
        Optional<NvidiaPlan> nvidia = NvidiaPlan.of(plan);
        nvidia.ifPresent(fused -> type.addField(text(
                "NVIDIA_ATTEND",
                "The decode step for NVIDIA devices of compute capability 9.0 and up, in one launch.",
                OpenClProgramWriter.nvidiaAttend(fused))));
        type.addMethod(accessor("source", TypeName.get(String.class), "COMMON.concat(ATTEND)"))
                .addMethod(accessor("tileBytes", TypeName.INT, plan.device().tileBytes()))
                .addMethod(accessor("denseTileBytes", TypeName.INT, plan.device().denseTileBytes()))
                .addMethod(accessor("headsPerPass", TypeName.INT, plan.heads()))
                .addMethod(accessor("teams", TypeName.INT, plan.teams()))
                .addMethod(accessor("groupsPerUnit", TypeName.INT, plan.groupsPerUnit()));
        nvidia.ifPresent(fused -> type.addMethod(nvidia(fused)));
        return type.build();
    }

    private static MethodSpec nvidia(NvidiaPlan fused) {
        return MethodSpec.methodBuilder("nvidia")
                .addAnnotation(Override.class)
                .addModifiers(Modifier.PUBLIC)
                .returns(ParameterizedTypeName.get(ClassName.get(Optional.class), GeneratedTypes.FUSED_ATTEND))
                .addStatement(
                        "return $T.of(new $T(COMMON.concat(NVIDIA_ATTEND), $L, $L, $L, $L))",
                        Optional.class,
                        GeneratedTypes.FUSED_ATTEND,
                        NvidiaPlan.HEADS,
                        fused.warps(),
                        fused.groupsPerUnit(),
                        fused.arranged())
                .build();
    }

    private static FieldSpec text(String name, String meaning, String text) {
        return FieldSpec.builder(String.class, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .addJavadoc(meaning)
                .initializer(CodeBlock.of("$L", "\"\"\"\n" + text.replace("\\", "\\\\") + "\"\"\""))
                .build();
    }

    private static MethodSpec accessor(String name, TypeName type, Object value) {
        return MethodSpec.methodBuilder(name)
                .addAnnotation(Override.class)
                .addModifiers(Modifier.PUBLIC)
                .returns(type)
                .addStatement("return $L", value)
                .build();
    }
}
