package dev.attune.processor.emit;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import dev.attune.annotations.NumberFormat;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A method body as it will be read: a text block with {@code $name:L} placeholders. The library types that kernels use
 * are recognised by their simple names and imported, so that the text here looks like the text that comes out.
 */
final class KernelText {

    static final ClassName BYTE_VECTOR = ClassName.get("jdk.incubator.vector", "ByteVector");
    static final ClassName SHORT_VECTOR = ClassName.get("jdk.incubator.vector", "ShortVector");
    static final ClassName INT_VECTOR = ClassName.get("jdk.incubator.vector", "IntVector");
    static final ClassName LONG_VECTOR = ClassName.get("jdk.incubator.vector", "LongVector");
    static final ClassName FLOAT_VECTOR = ClassName.get("jdk.incubator.vector", "FloatVector");
    static final ClassName VECTOR_MASK = ClassName.get("jdk.incubator.vector", "VectorMask");
    static final ClassName VECTOR_SHUFFLE = ClassName.get("jdk.incubator.vector", "VectorShuffle");
    static final ClassName VECTOR_OPERATORS = ClassName.get("jdk.incubator.vector", "VectorOperators");
    static final ClassName VECTOR_SPECIES = ClassName.get("jdk.incubator.vector", "VectorSpecies");
    static final ClassName MEMORY_SEGMENT = ClassName.get("java.lang.foreign", "MemorySegment");
    static final ClassName VALUE_LAYOUT = ClassName.get("java.lang.foreign", "ValueLayout");
    static final ClassName BYTE_ORDER = ClassName.get("java.nio", "ByteOrder");
    static final ClassName ARRAYS = ClassName.get("java.util", "Arrays");

    private static final Map<String, ClassName> IMPORTED = importable(
            BYTE_VECTOR,
            SHORT_VECTOR,
            INT_VECTOR,
            FLOAT_VECTOR,
            LONG_VECTOR,
            VECTOR_MASK,
            VECTOR_SPECIES,
            MEMORY_SEGMENT,
            VALUE_LAYOUT,
            ARRAYS,
            GeneratedTypes.BACKEND,
            GeneratedTypes.LAYER_SHAPE,
            GeneratedTypes.CACHE_LAYOUT);

    private static final Pattern TYPE_NAME =
            Pattern.compile("(?<![.\\w$])(" + String.join("|", IMPORTED.keySet()) + ")\\b");

    private final StringBuilder text = new StringBuilder();
    private final Map<String, Object> arguments = new HashMap<>();

    private KernelText() {}

    /** Returns what adds a number to an expression: nothing if it is zero. */
    static String plus(int number) {
        return number == 0 ? "" : " + " + number;
    }

    static KernelText of(String text) {
        return new KernelText().add(text);
    }

    KernelText add(String more) {
        text.append(more);
        return this;
    }

    KernelText addIf(boolean condition, String more) {
        return condition ? add(more) : this;
    }

    /** Sets the value of every {@code $name:L}. */
    KernelText with(String name, Object value) {
        arguments.put(name, value);
        return this;
    }

    /** Sets {@code $bytes:L}, {@code $load:L} and {@code $store:L} to those of a format that is not quantised. */
    KernelText numbers(NumberFormat format) {
        return with("bytes", format.bits() / Byte.SIZE)
                .with("load", StoredNumbers.load(format))
                .with("store", StoredNumbers.store(format));
    }

    CodeBlock code() {
        Map<String, Object> all = new HashMap<>(arguments);
        Matcher names = TYPE_NAME.matcher(text);
        StringBuilder format = new StringBuilder();
        while (names.find()) {
            String argument = "type" + names.group(1);
            all.put(argument, IMPORTED.get(names.group(1)));
            names.appendReplacement(format, Matcher.quoteReplacement("$" + argument + ":T"));
        }
        names.appendTail(format);
        return CodeBlock.builder().addNamed(format.toString(), all).build();
    }

    private static Map<String, ClassName> importable(ClassName... types) {
        Map<String, ClassName> byName = new HashMap<>();
        for (ClassName type : types) {
            byName.put(type.simpleName(), type);
        }
        return Map.copyOf(byName);
    }
}
