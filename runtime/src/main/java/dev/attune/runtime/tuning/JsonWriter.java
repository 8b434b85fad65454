package dev.attune.runtime.tuning;

import java.util.List;
import java.util.Map;

/** Writes maps, lists, strings, numbers and null as JSON, one member a line; numbers that are not finite as null. */
final class JsonWriter {

    private final StringBuilder text = new StringBuilder();

    private JsonWriter() {}

    static String write(Map<String, ?> object) {
        JsonWriter writer = new JsonWriter();
        writer.value(object, "\n");
        return writer.text.append('\n').toString();
    }

    private void value(Object value, String newLine) {
        switch (value) {
            case null -> text.append("null");
            case Map<?, ?> object -> object(object, newLine);
            case List<?> array -> array(array, newLine);
            case Double number when !Double.isFinite(number) -> text.append("null");
            case Number number -> text.append(number);
            case String string -> string(string);
            default -> throw new IllegalArgumentException(value.getClass() + " is nothing JSON has");
        }
    }

    private void object(Map<?, ?> object, String newLine) {
        String separator = "{";
        for (Map.Entry<?, ?> member : object.entrySet()) {
            text.append(separator).append(newLine).append("  ");
            string((String) member.getKey());
            text.append(": ");
            value(member.getValue(), newLine + "  ");
            separator = ",";
        }
        text.append(object.isEmpty() ? "{}" : newLine + "}");
    }

    private void array(List<?> array, String newLine) {
        String separator = "[";
        for (Object element : array) {
            text.append(separator).append(newLine).append("  ");
            value(element, newLine + "  ");
            separator = ",";
        }
        text.append(array.isEmpty() ? "[]" : newLine + "]");
    }

    private void string(String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char letter = string.charAt(i);
            switch (letter) {
                case '"', '\\' -> text.append('\\').append(letter);
                case '\n' -> text.append("\\n");
                case '\t' -> text.append("\\t");
                // A lone surrogate would not survive UTF-8.
                default -> text.append(
                        letter < ' ' || Character.isSurrogate(letter) ? "\\u%04x".formatted((int) letter) : letter);
            }
        }
        text.append('"');
    }
}
