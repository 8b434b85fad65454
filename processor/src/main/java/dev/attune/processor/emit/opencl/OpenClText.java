package dev.attune.processor.emit.opencl;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A piece of OpenCL C as it will be read: text blocks with {@code $name} placeholders. */
final class OpenClText {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\$(\\w+)");

    private final StringBuilder text = new StringBuilder();
    private final Map<String, String> values = new HashMap<>();

    private OpenClText() {}

    static OpenClText of(String text) {
        return new OpenClText().add(text);
    }

    OpenClText add(String more) {
        text.append(more);
        return this;
    }

    OpenClText addIf(boolean condition, String more) {
        return condition ? add(more) : this;
    }

    /** Sets the value of every {@code $name}. */
    OpenClText with(String name, Object value) {
        values.put(name, value.toString());
        return this;
    }

    @Override
    public String toString() {
        return PLACEHOLDER.matcher(text).replaceAll(place -> {
            String value = values.get(place.group(1));
            if (value == null) {
                throw new IllegalStateException("no value for $" + place.group(1) + " in\n" + text);
            }
            return Matcher.quoteReplacement(value);
        });
    }
}
