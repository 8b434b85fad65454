package dev.attune.processor.emit;

import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import java.util.EnumSet;
import javax.lang.model.element.Modifier;

/** Writes the scalar class: the oracle, which also scores channels, packs and unpacks for every backend. */
final class ScalarKernelsWriter {

    private final KernelPlan plan;

    ScalarKernelsWriter(KernelPlan plan) {
        this.plan = plan;
    }

    TypeSpec write() {
        TypeSpec.Builder type = TypeSpec.classBuilder(plan.className())
                .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
                .addSuperinterface(GeneratedTypes.ATTENTION_KERNELS)
                .addJavadoc(ClassDocumentation.scalar(plan));
        LayoutConstants.add(type, plan);
        StoredNumbers.addAccess(
                type,
                EnumSet.of(
                        plan.model().keys().plainFormat(), plan.model().values().plainFormat()));
        ScratchField.add(
                type,
                double.class,
                "plainQueries",
                "GROUP_SIZE * HEAD_DIM",
                "Queries over the square root of the head dimension, for dense keys.");
        plan.layout()
                .keys()
                .ifPresent(keys -> ScratchField.add(
                        type,
                        double.class,
                        "scaledQueries",
                        "GROUP_SIZE * HEAD_DIM",
                        "The same, over the channel scales: for packed keys."));
        ScratchField.add(
                type,
                double.class,
                "weights",
                "GROUP_SIZE * TILE_TOKENS",
                "One tile's scores, then its softmax weights.");
        ScratchField.add(type, double.class, "maxima", "GROUP_SIZE", "Largest score so far.");
        ScratchField.add(
                type,
                double.class,
                "sums",
                "GROUP_SIZE",
                "Sum of the softmax weights so far, relative to the largest score.");
        ScratchField.add(
                type, double.class, "sumsOfValues", "GROUP_SIZE * HEAD_DIM", "Weighted sum of the values so far.");
        if (plan.layout().keys().isPresent()) {
            ScratchField.add(
                    type,
                    float.class,
                    "deviations",
                    "TILE_TOKENS * HEAD_DIM",
                    "One tile's scaled keys, less their means.");
        }
        if (plan.layout().keys().isPresent() || plan.layout().values().isPresent()) {
            ScratchField.add(
                    type,
                    float.class,
                    "magnitudes",
                    "Math.max(HEAD_DIM, TILE_TOKENS)",
                    "Magnitudes to select the largest of.");
        }
        type.addMethod(KernelMethods.backend(plan.backend()));
        new ScalarPackWriter(plan).addTo(type);
        new ScalarUnpackWriter(plan).addTo(type);
        new ScalarDecodeWriter(plan).addTo(type);
        LayoutConstants.addDensePlace(type);
        return type.build();
    }
}
