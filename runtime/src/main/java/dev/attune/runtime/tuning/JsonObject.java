package dev.attune.runtime.tuning;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An object that was read: its members by name and type, or an error that names the member. */
final class JsonObject {

    private final Map<?, ?> members;
    private final String place;

    private JsonObject(Map<?, ?> members, String place) {
        this.members = members;
        this.place = place;
    }

    static JsonObject of(Object value, String place) throws JsonException {
        if (value instanceof Map<?, ?> members) {
            return new JsonObject(members, place);
        }
        throw new JsonException(place + " is no object");
    }

    String string(String name) throws JsonException {
        if (members.get(name) instanceof String string) {
            return string;
        }
        throw wrong(name, "string");
    }

    /** Refuses any value but one. */
    void require(String name, String wanted) throws JsonException {
        if (!string(name).equals(wanted)) {
            throw new JsonException(place + ": \"" + name + "\" is \"" + string(name) + "\", not \"" + wanted + '"');
        }
    }

    int integer(String name) throws JsonException {
        double number = number(name);
        if (number != (int) number) {
            throw wrong(name, "32-bit integer");
        }
        return (int) number;
    }

    double number(String name) throws JsonException {
        if (members.get(name) instanceof Double number) {
            return number;
        }
        throw wrong(name, "number");
    }

    /** Returns a number, or not-a-number for {@code null}. */
    double numberOrNaN(String name) throws JsonException {
        return members.containsKey(name) && members.get(name) == null ? Double.NaN : number(name);
    }

    JsonObject object(String name) throws JsonException {
        return of(members.get(name), name + " of " + place);
    }

    List<JsonObject> objects(String name) throws JsonException {
        if (!(members.get(name) instanceof List<?> elements)) {
            throw wrong(name, "array");
        }
        List<JsonObject> objects = new ArrayList<>();
        for (Object element : elements) {
            objects.add(of(element, name + "[" + objects.size() + "] of " + place));
        }
        return objects;
    }

    private JsonException wrong(String name, String type) {
        return new JsonException(place + (members.containsKey(name) ? ": " : " lacks ") + '"' + name + '"'
                + (members.containsKey(name) ? " is no " + type : ""));
    }
}
