package dev.attune.processor.emit;

import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.TypeSpec;
import dev.attune.processor.plan.KernelPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Kernels that serve several query heads and read several tiles at once: a method per size of pass, and the calls that
 * cover all heads.
 *
 * <p>In the texts {@code #} stands for the number of a query head within its pass, {@code ?} for its index among all
 * heads, {@code @} for the letter of a tile (nothing if a pass reads one at a time), and {@code ~} for the row that the
 * weights of a head and a tile have among all rows.
 *
 * @param plan the plan
 * @param heads query heads of the pass
 * @param streams tiles it reads at once
 */
record Pass(KernelPlan plan, int heads, int streams) {

    /** Adds one method for every size that the plan's passes have. */
    static void addMethods(TypeSpec.Builder type, KernelPlan plan, int streams, Function<Pass, MethodSpec> method) {
        plan.passes().stream()
                .distinct()
                .forEach(heads -> type.addMethod(method.apply(new Pass(plan, heads, streams))));
    }

    /**
     * Returns the calls that cover all heads, {@code name4(arguments, 0)}, {@code name4(arguments, 4)},
     * {@code name3(arguments, 8)} for 11 of them.
     */
    static String calls(KernelPlan plan, int streams, String name, String arguments) {
        List<Integer> passes = plan.passes();
        String full = new Pass(plan, passes.getFirst(), streams).name(name);
        int count = (int) passes.stream().filter(passes.getFirst()::equals).count();
        String calls = count == 1
                ? "%s(%s, 0);\n".formatted(full, arguments)
                : """
                for (int g = 0; g < %d; g += %d) {
                    %s(%s, g);
                }
                """.formatted(count * passes.getFirst(), passes.getFirst(), full, arguments);
        return count == passes.size()
                ? calls
                : calls
                        + "%s(%s, %d);\n"
                                .formatted(
                                        new Pass(plan, passes.getLast(), streams).name(name),
                                        arguments,
                                        count * passes.getFirst());
    }

    /** Returns the name of a method: {@code scoreKept4}, or {@code scoreKept1x4} if it reads four tiles at once. */
    String name(String name) {
        return name + heads + (streams == 1 ? "" : "x" + streams);
    }

    /** Repeats a text for every head. */
    String perHead(String text) {
        return IntStream.range(0, heads).mapToObj(head -> forHead(head, text)).collect(Collectors.joining());
    }

    /** Repeats a text for every tile that is read at once. */
    String perTile(String text) {
        return perTile(streams, text);
    }

    /** Repeats a text for every tile, and within that for every head. */
    String perTileAndHead(String text) {
        return IntStream.range(0, streams)
                .mapToObj(stream -> IntStream.range(0, heads)
                        .mapToObj(head -> forHead(head, withRow(text, head, stream)))
                        .collect(Collectors.joining())
                        .replace("@", letter(streams, stream)))
                .collect(Collectors.joining());
    }

    /** Repeats a text for every tile; the part at {@code $heads} for every head within that. */
    String perTile(String text, String ofHead) {
        return IntStream.range(0, streams)
                .mapToObj(stream -> text.replace(
                                "$heads",
                                IntStream.range(0, heads)
                                        .mapToObj(head -> forHead(head, withRow(ofHead, head, stream)))
                                        .collect(Collectors.joining()))
                        .replace("@", letter(streams, stream)))
                .collect(Collectors.joining());
    }

    /** Adds the sums of all tiles, {@code first0A.add(first0B)} and so on. */
    String overTiles(String sum) {
        StringBuilder text = new StringBuilder(sum.replace("@", letter(streams, 0)));
        for (int stream = 1; stream < streams; stream++) {
            text.append(".add(").append(sum.replace("@", letter(streams, stream))).append(')');
        }
        return text.toString();
    }

    /** Repeats a text for every one of so many tiles that are read at once. */
    static String perTile(int streams, String text) {
        return IntStream.range(0, streams)
                .mapToObj(stream -> text.replace("@", letter(streams, stream)).replace("~", Integer.toString(stream)))
                .collect(Collectors.joining());
    }

    /** Returns the letter of a tile, nothing if a pass reads one at a time. */
    static String letter(int streams, int stream) {
        return streams == 1 ? "" : Character.toString('A' + stream);
    }

    private static String forHead(int head, String text) {
        return text.replace("#", Integer.toString(head))
                .replace("[?]", head == 0 ? "[g]" : "[g + " + head + "]")
                .replace("?", plus("g", head));
    }

    private String withRow(String text, int head, int stream) {
        String head0 = plus("g", head);
        if (plan.streams() == 1) {
            return text.replace("[~]", "[?]").replace("~", head0);
        }
        String row = head0 + " * STREAMS" + (stream == 0 ? "" : " + " + stream);
        return text.replace("[~]", "[" + row + "]").replace("~", "(" + row + ")");
    }

    /** Returns what adds a number to a variable, in parentheses: the variable alone if it is zero. */
    static String plus(String variable, int number) {
        return number == 0 ? variable : "(" + variable + " + " + number + ")";
    }

    /** Declares a pair of sums for every tile and head, {@code first0} and {@code second0} and so on. */
    String zeros() {
        return perTileAndHead("""
            FloatVector first#@ = FloatVector.zero(FLOATS);
            FloatVector second#@ = FloatVector.zero(FLOATS);
            """);
    }

    /** Returns the parameters for the cache and the tiles in it. */
    List<ParameterSpec> tiles(String name) {
        List<ParameterSpec> parameters = new ArrayList<>();
        parameters.add(KernelMethods.cache());
        for (int stream = 0; stream < streams; stream++) {
            parameters.add(ParameterSpec.builder(long.class, name + letter(streams, stream)).build());
        }
        return parameters;
    }

    /** Returns the arguments for these parameters, {@code cache, tileA, tileB}. */
    String arguments(String name) {
        return tiles(name).stream().map(ParameterSpec::name).collect(Collectors.joining(", "));
    }

    /** Says in a Javadoc sentence which heads and tiles a method serves. */
    String served() {
        String served = heads == 1 ? "of query head {@code g}" : "of the " + heads + " query heads from {@code g} on";
        return streams == 1 ? served : served + ", over " + streams + " tiles at once";
    }
}
