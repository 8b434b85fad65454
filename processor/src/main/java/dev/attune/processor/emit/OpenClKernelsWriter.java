package dev.attune.processor.emit;

import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.emit.opencl.OpenClProgramWriter;
import dev.attune.processor.plan.OpenClPlan;
import javax.lang.model.element.Modifier;

/** Writes the class that carries an OpenCL program, as a text block, and what is needed to launch it. */
final class OpenClKernelsWriter {

    private final OpenClPlan plan;

    OpenClKernelsWriter(OpenClPlan plan) {
        this.plan = plan;
    }

    TypeSpec write() {
        return TypeSpec.classBuilder(plan.className())
                .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
                .addSuperinterface(GeneratedTypes.OPEN_CL_KERNELS)
                .addJavadoc(ClassDocumentation.openCl(plan))
                .addField(FieldSpec.builder(
                                String.class, "SOURCE", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                        .initializer(CodeBlock.of("$L", textBlock(OpenClProgramWriter.write(plan))))
                        .build())
                .addMethod(accessor("source", TypeName.get(String.class), "SOURCE"))
                .addMethod(accessor("tileBytes", TypeName.INT, plan.device().tileBytes()))
                .addMethod(accessor("denseTileBytes", TypeName.INT, plan.device().denseTileBytes()))
                .addMethod(accessor("headsPerPass", TypeName.INT, plan.heads()))
                .addMethod(accessor("teams", TypeName.INT, plan.teams()))
                .build();
    }

    private static String textBlock(String text) {
        return "\"\"\"\n" + text.replace("\\", "\\\\") + "\"\"\"";
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
