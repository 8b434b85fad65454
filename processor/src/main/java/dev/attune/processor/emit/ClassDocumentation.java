package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import dev.attune.processor.model.AttentionModel;
import dev.attune.processor.model.PruningModel;
import dev.attune.processor.model.Tuning;
import dev.attune.processor.plan.KernelPlan;
import dev.attune.processor.plan.KeyLayout;
import dev.attune.processor.plan.OpenClPlan;
import dev.attune.processor.plan.TileLayout;
import dev.attune.processor.plan.ValueLayout;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The prose of the generated classes: what was asked for, the method, and the formulas the kernels compute. */
final class ClassDocumentation {

    private ClassDocumentation() {}

    static CodeBlock scalar(KernelPlan plan) {
        return CodeBlock.builder()
                .add(
                        "Plain Java kernels of {@link $T}: the oracle the vector kernels are verified against, and the"
                                + " fallback.\n",
                        specification(plan.model()))
                .add(method(plan.model(), plan.layout()))
                .build();
    }

    static CodeBlock vector(KernelPlan plan) {
        return CodeBlock.builder()
                .add(
                        "Kernels of {@link $T} on $L-bit vectors of the Java Vector API, strategy $L.\n",
                        specification(plan.model()),
                        plan.backend().vectorBits(),
                        plan.strategy())
                .add(
                        plan.isDefault()
                                ? ""
                                : "A variant of {@link " + plan.model().kernelsName(plan.backend())
                                        + "}, which packs for it, too.\n")
                .add(method(plan.model(), plan.layout()))
                .add(
                        "\n"
                            + "<p>Hot loops are flat and each is a method of its own: the just-in-time compiler keeps"
                            + " vectors in registers\n"
                            + "only while it inlines every call on them. $L $L\n"
                            + "A step handles two vectors of floats; of 16-bit numbers, {@code First} holds the even"
                            + " and {@code Second} the\n"
                            + "odd ones, which is how 32-bit lanes split for free.\n",
                        lanes(plan),
                        sharing(plan))
                .build();
    }

    static CodeBlock openCl(OpenClPlan plan) {
        return CodeBlock.builder()
                .add("The OpenCL program of {@link $T}.\n", specification(plan.model()))
                .add(method(plan.model(), plan.layout()))
                .add(
                        "On the device it takes $L bytes, ordered so that 32 lanes load up to 16 bytes each that follow"
                                + " one another.\n",
                        plan.device().tileBytes())
                .build();
    }

    private static String lanes(KernelPlan plan) {
        return plan.gathers()
                ? """
                Packed tiles have query heads in lanes: a kept entry's
                index, or a byte of signs, tells where the numbers of four heads stand side by side. Elsewhere lanes \
                are tokens
                or channels. Nothing takes permutes"""
                        + (plan.fuses() ? "." : ", nor an instruction that multiplies and adds at\nonce.")
                : """
                Lanes are tokens where keys are scored and channels where values
                are summed, so those loops never reduce across lanes.""";
    }

    private static String sharing(KernelPlan plan) {
        String heads = plan.headGroup() == 1
                ? "Every query head is a pass"
                : "Up to " + plan.headGroup() + " heads share a pass";
        if (plan.streams() > 1) {
            return heads + ",\nwhich reads " + plan.streams() + " tiles at once.";
        }
        return heads + (plan.readAheadTiles() > 0 ? "; " + plan.readAheadTiles() + " tiles are read ahead." : ".");
    }

    static CodeBlock provider(AttentionModel model, Tuning tuning) {
        return CodeBlock.builder()
                .add("Kernels of {@link $T}.\n\n<p>$L\n", specification(model), summary(model))
                .add(TuningDocumentation.of(tuning))
                .build();
    }

    static ClassName specification(AttentionModel model) {
        List<String> names = List.of(model.specificationName().split("\\."));
        return ClassName.get(
                model.packageName(),
                names.getFirst(),
                names.subList(1, names.size()).toArray(String[]::new));
    }

    private static CodeBlock method(AttentionModel model, TileLayout layout) {
        CodeBlock.Builder text = CodeBlock.builder().add("\n<p>$L\n", summary(model));
        layout
                .keys()
                .ifPresent(keys ->
                        text.add("\n<p>$L.\nA score is then\n<pre>$L</pre>\n", restoredKey(keys), keyScore(keys)));
        layout
                .values()
                .ifPresent(values -> text.add(
                        "\n<p>$L.\nThe output is then\n<pre>$L</pre>\n", restoredValue(values), valueSum(values)));
        return text.add(
                        "\n<p>A packed tile holds 64 tokens in $L bytes:\n$L.\n",
                        layout.tileBytes(),
                        parts(layout))
                .build();
    }

    private static String parts(TileLayout layout) {
        return wrapped(layout.parts().stream()
                .map(part -> part.name() + " " + part.bytes())
                .collect(Collectors.joining(", ")));
    }

    /** Breaks a list into lines after its commas. */
    private static String wrapped(String list) {
        StringBuilder lines = new StringBuilder();
        int length = 0;
        for (String item : list.split("(?<=, )")) {
            if (length + item.length() > 100) {
                lines.setLength(lines.length() - 1);
                lines.append('\n');
                length = 0;
            }
            lines.append(item);
            length += item.length();
        }
        return lines.toString();
    }

    private static String summary(AttentionModel model) {
        return "%d query heads over %d key-value heads of %d channels.\nKeys: %s.\nValues: %s."
                .formatted(
                        model.queryHeads(),
                        model.keyValueHeads(),
                        model.headDim(),
                        side(model.keys(), model.headDim(), "channels per token")
                                + (model.keys().dense()
                                        ? ""
                                        : ", centering " + model.keys().centering() + ", channel weight "
                                                + model.keys().channelWeight()),
                        side(model.values(), TileLayout.TILE_TOKENS, "tokens per channel and tile"));
    }

    private static String side(PruningModel side, int count, String what) {
        String format = side.format().toString().toLowerCase(Locale.ROOT);
        return side.dense()
                ? "dense, " + format
                : "ratio %s keeps %d of %d %s, %s, restoration %s"
                        .formatted(side.ratio(), side.kept(count), count, what, format, side.restoration());
    }

    static String restoredKey(KeyLayout keys) {
        String mean = keys.centred() ? "mu_j + " : "";
        String kept = keys.block().signed() ? mean + "sigma_tj * a_t + e_tj" : mean + "e_tj";
        String pruned = keys.block().signed() ? mean + "sigma_tj * a_t" : keys.centred() ? "mu_j" : "0";
        return "Channel j of token t stands for (" + kept + ") / s_j when kept,\nand for (" + pruned
                + ") / s_j when pruned";
    }

    static String keyScore(KeyLayout keys) {
        return "q . k_t = " + (keys.centred() ? "SUM_j mu_j u_j + " : "")
                + (keys.block().signed() ? "a_t * SUM_j sigma_tj u_j + " : "")
                + "SUM_kept_j e_tj u_j";
    }

    static String restoredValue(ValueLayout values) {
        return "Token t of value channel j stands for "
                + (values.block().signed()
                        ? "sigma_tj * b_j + e_tj when kept, sigma_tj * b_j when pruned"
                        : "e_tj when kept, 0 when pruned");
    }

    static String valueSum(ValueLayout values) {
        return "out_j = " + (values.block().signed() ? "b_j * SUM_t p_t sigma_tj + " : "") + "SUM_kept_t p_t e_tj";
    }
}
