package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Kernels that serve several query heads at once: a method per size of pass, and the calls that cover all heads. */
final class Pass {

    private Pass() {}

    /** Adds one method for every size that the plan's passes have. */
    static void addMethods(TypeSpec.Builder type, KernelPlan plan, IntFunction<MethodSpec> method) {
        plan.passes().stream().distinct().forEach(heads -> type.addMethod(method.apply(heads)));
    }

    /** Returns the calls {@code name4(arguments, 0)}, {@code name4(arguments, 4)}, {@code name3(arguments, 8)}. */
    static String calls(KernelPlan plan, String name, String arguments) {
        List<Integer> passes = plan.passes();
        int heads = passes.getFirst();
        int full = (int) passes.stream().filter(size -> size == heads).count();
        String calls = full == 1
                ? "%s%d(%s, 0);\n".formatted(name, heads, arguments)
                : """
                for (int g = 0; g < %d; g += %d) {
                    %s%d(%s, g);
                }
                """.formatted(full * heads, heads, name, heads, arguments);
        return full == passes.size()
                ? calls
                : calls + "%s%d(%s, %d);\n".formatted(name, passes.getLast(), arguments, full * heads);
    }

    /** Repeats a text for every head of a pass, as {@link #forHead} has it. */
    static String perHead(int heads, String text) {
        return eachHead(heads, head -> forHead(head, text));
    }

    /** Replaces {@code #} by the number of a head within its pass, and {@code ?} by its index among all heads. */
    static String forHead(int head, String text) {
        return text.replace("#", Integer.toString(head))
                .replace("[?]", head == 0 ? "[g]" : "[g + " + head + "]")
                .replace("?", SignSumText.plus("g", head));
    }

    /** Declares a pair of sums for every head, {@code first0} and {@code second0} and so on. */
    static String zeros(int heads) {
        return perHead(heads, """
            FloatVector first# = FloatVector.zero(FLOATS);
            FloatVector second# = FloatVector.zero(FLOATS);
            """);
    }

    /** Joins the texts of a pass's heads. */
    static String eachHead(int heads, IntFunction<String> text) {
        return IntStream.range(0, heads).mapToObj(text).collect(Collectors.joining());
    }

    /** Says in a Javadoc sentence which heads a method serves. */
    static String served(int heads) {
        return heads == 1 ? "of query head {@code g}" : "of the " + heads + " query heads from {@code g} on";
    }
}
