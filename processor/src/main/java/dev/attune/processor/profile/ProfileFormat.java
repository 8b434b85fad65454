package dev.attune.processor.profile;

import dev.attune.processor.model.SourceFingerprint;
import dev.attune.processor.model.Tuning;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/**
 * The format of profiles, which the runtime's {@code TuningProfile} writes. Members that a compilation has no use for
 * are passed over; those it uses are checked, since their text goes into generated source.
 */
final class ProfileFormat {

    /** The format that is read. */
    static final String CURRENT = "attune-profile-1";

    /** The operation that variants are chosen by. */
    private static final String OPERATION = "attend";

    private static final int SHORTEST_CONTEXT = 1024;
    private static final int LONGEST_CONTEXT = 1 << 20;

    private static final Pattern FORMAT = Pattern.compile("attune-profile-[1-9][0-9]{0,8}");
    private static final Pattern NAME = Pattern.compile("[ -~]{1,200}");
    private static final Pattern BITS = Pattern.compile("[0-9]{1,4}");
    private static final Pattern DIGITS = Pattern.compile("[0-9a-f]{16}");
    private static final Pattern VARIANT = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");

    private ProfileFormat() {}

    /**
     * Returns the version of a profile's format, which may be a later one than can be read.
     *
     * @throws InvalidProfileException if it is no profile
     */
    static String version(JsonValue document) throws InvalidProfileException {
        return document.member("format").text(FORMAT, "\"" + CURRENT + "\"");
    }

    /**
     * Returns the measurements of decode steps in a profile of the current format, in its order. A record of which no
     * time is known, for lack of time to measure in, is none.
     *
     * @throws InvalidProfileException if something that is used is missing or wrong
     */
    static List<Measurement> measurements(JsonValue document) throws InvalidProfileException {
        List<Measurement> measurements = new ArrayList<>();
        for (JsonValue entry : document.member("environments").elements()) {
            JsonValue environment = entry.member("environment");
            Tuning.Machine machine = machine(environment);
            String attuneVersion = name(environment.member("attuneVersion"));
            for (JsonValue record : entry.member("records").elements()) {
                if (record.member("key").member("operation").text().equals(OPERATION)) {
                    measurement(machine, attuneVersion, record).ifPresent(measurements::add);
                }
            }
        }
        return measurements;
    }

    private static Tuning.Machine machine(JsonValue environment) throws InvalidProfileException {
        String bits = environment.member("vectorBits").text(BITS, "a text with a number of bits");
        return new Tuning.Machine(
                name(environment.member("processor")),
                name(environment.member("architecture")) + ", " + bits + "-bit vectors");
    }

    private static Optional<Measurement> measurement(Tuning.Machine machine, String attuneVersion, JsonValue record)
            throws InvalidProfileException {
        JsonValue key = record.member("key");
        Map<String, OptionalDouble> times = times(record.member("candidates"));
        String chosen = candidate(record.member("chosen"), times);
        String byDefault = candidate(record.member("default"), times);
        OptionalDouble nanos = times.get(chosen);
        Measurement measurement = new Measurement(
                machine,
                attuneVersion,
                key.member("specification").text(),
                new SourceFingerprint(digits(key.member("specificationHash")), digits(key.member("sourcesHash"))),
                context(key.member("contextTokens")),
                key.member("threads").count(),
                instant(record.member("measuredAt")),
                chosen,
                nanos.orElse(0),
                byDefault,
                times.get(byDefault));
        return nanos.isPresent() ? Optional.of(measurement) : Optional.empty();
    }

    private static Map<String, OptionalDouble> times(JsonValue candidates) throws InvalidProfileException {
        Map<String, OptionalDouble> times = new LinkedHashMap<>();
        for (JsonValue candidate : candidates.elements()) {
            times.put(
                    candidate.member("variant").text(VARIANT, "the name of a variant"),
                    candidate.member("medianNanos").time());
        }
        return times;
    }

    private static String candidate(JsonValue variant, Map<String, OptionalDouble> times)
            throws InvalidProfileException {
        if (!times.containsKey(variant.text())) {
            throw variant.isNot("among the candidates " + String.join(", ", times.keySet()));
        }
        return variant.text();
    }

    private static int context(JsonValue tokens) throws InvalidProfileException {
        int count = tokens.count();
        if (Integer.bitCount(count) != 1 || count < SHORTEST_CONTEXT || count > LONGEST_CONTEXT) {
            throw tokens.isNot("a power of two from " + SHORTEST_CONTEXT + " to " + LONGEST_CONTEXT);
        }
        return count;
    }

    private static Instant instant(JsonValue time) throws InvalidProfileException {
        try {
            return Instant.parse(time.text());
        } catch (DateTimeException invalid) {
            throw time.isNot("a time such as 2026-01-31T12:00:00Z");
        }
    }

    private static String name(JsonValue text) throws InvalidProfileException {
        return text.text(NAME, "1 to 200 printable letters of ASCII");
    }

    private static String digits(JsonValue hash) throws InvalidProfileException {
        return hash.text(DIGITS, "a text of 16 hexadecimal digits");
    }
}
