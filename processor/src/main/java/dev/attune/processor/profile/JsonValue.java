package dev.attune.processor.profile;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.io.Reader;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/**
 * A value of a JSON document that knows where it stands, so that what is wrong with it can be said there.
 *
 * @param path how to get to it, {@code environments[0].records[2].key.threads}; empty for the whole document
 * @param value a map, a list, a string, a number, a boolean, or null
 */
record JsonValue(String path, int line, int column, Object value) {

    /** Far more than profiles have. */
    private static final int MOST_LEVELS = 32;

    private static final long MOST_LETTERS = 64L << 20;

    /** A message repeats no more of a text. */
    private static final int SHOWN_LETTERS = 60;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MOST_LEVELS)
                    .maxDocumentLength(MOST_LETTERS)
                    .build())
            .build();

    /**
     * Reads a document.
     *
     * @throws InvalidProfileException if it is not JSON, has a member twice, or goes on after its end
     */
    static JsonValue read(Reader reader) throws IOException, InvalidProfileException {
        try (JsonParser parser = JSON.createParser(reader)) {
            if (parser.nextToken() == null) {
                throw new InvalidProfileException(1, 1, "the file is empty");
            }
            JsonValue document = read(parser, "");
            if (parser.nextToken() != null) {
                JsonLocation end = parser.currentTokenLocation();
                throw new InvalidProfileException(
                        end.getLineNr(), end.getColumnNr(), "nothing may follow its last '}'");
            }
            return document;
        } catch (JsonProcessingException invalid) {
            JsonLocation place = invalid.getLocation() == null ? JsonLocation.NA : invalid.getLocation();
            throw new InvalidProfileException(
                    Math.max(1, place.getLineNr()), Math.max(1, place.getColumnNr()), invalid.getOriginalMessage());
        }
    }

    private static JsonValue read(JsonParser parser, String path) throws IOException {
        JsonLocation start = parser.currentTokenLocation();
        Object value = switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, JsonValue> members = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    members.put(name, read(parser, path.isEmpty() ? name : path + "." + name));
                }
                yield members;
            }
            case START_ARRAY -> {
                List<JsonValue> elements = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    elements.add(read(parser, path + "[" + elements.size() + "]"));
                }
                yield elements;
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
            case VALUE_TRUE, VALUE_FALSE -> parser.getBooleanValue();
            case VALUE_NULL -> null;
            default -> parser.getText();
        };
        return new JsonValue(path, start.getLineNr(), start.getColumnNr(), value);
    }

    /**
     * Returns a member of this object.
     *
     * @throws InvalidProfileException if this is no object, or has no such member
     */
    JsonValue member(String name) throws InvalidProfileException {
        if (!(value instanceof Map<?, ?> members)) {
            throw isNot("an object");
        }
        if (!(members.get(name) instanceof JsonValue member)) {
            throw invalid(subject() + " has no member \"" + name + "\"");
        }
        return member;
    }

    /**
     * Returns the elements of this list.
     *
     * @throws InvalidProfileException if this is no list
     */
    List<JsonValue> elements() throws InvalidProfileException {
        if (!(value instanceof List<?> elements)) {
            throw isNot("a list");
        }
        return elements.stream().map(JsonValue.class::cast).toList();
    }

    /**
     * Returns this text.
     *
     * @throws InvalidProfileException if this is no text
     */
    String text() throws InvalidProfileException {
        if (!(value instanceof String text)) {
            throw isNot("a text");
        }
        return text;
    }

    /**
     * Returns this text, which has to match a pattern.
     *
     * @param meaning what the pattern stands for, with an article
     * @throws InvalidProfileException if this is no text, or does not match
     */
    String text(Pattern pattern, String meaning) throws InvalidProfileException {
        if (!pattern.matcher(text()).matches()) {
            throw isNot(meaning);
        }
        return text();
    }

    /**
     * Returns this whole number.
     *
     * @throws InvalidProfileException if this is no whole number, or less than 1
     */
    int count() throws InvalidProfileException {
        try {
            if (value instanceof BigDecimal number && number.intValueExact() >= 1) {
                return number.intValueExact();
            }
        } catch (ArithmeticException noInt) {
            // As wrong as any other.
        }
        throw isNot("a whole number from 1 to " + Integer.MAX_VALUE);
    }

    /**
     * Returns this time, or nothing for null.
     *
     * @throws InvalidProfileException if this is neither null nor a number, or negative
     */
    OptionalDouble time() throws InvalidProfileException {
        if (value == null) {
            return OptionalDouble.empty();
        }
        if (value instanceof BigDecimal number && number.signum() >= 0) {
            return OptionalDouble.of(number.doubleValue());
        }
        throw isNot("null or a number of nanoseconds");
    }

    /** Returns the exception that says what this should have been. */
    InvalidProfileException isNot(String expected) {
        return invalid(subject() + " = " + shown() + " is not " + expected);
    }

    /** Returns an exception about this place. */
    InvalidProfileException invalid(String message) {
        return new InvalidProfileException(line, column, message);
    }

    private String subject() {
        return path.isEmpty() ? "the document" : path;
    }

    private String shown() {
        return switch (value) {
            case Map<?, ?> object -> "{...}";
            case List<?> list -> "[...]";
            case String text when text.length() > SHOWN_LETTERS -> quoted(text.substring(0, SHOWN_LETTERS) + "...");
            case String text -> quoted(text);
            case null -> "null";
            default -> value.toString();
        };
    }

    private static String quoted(String text) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }
}
