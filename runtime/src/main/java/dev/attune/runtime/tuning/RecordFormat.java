package dev.attune.runtime.tuning;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How records are written as JSON, and read again. */
final class RecordFormat {

    private static final String FORMAT = "attune-record-1";

    private RecordFormat() {}

    /** Returns what the record's file says: whose it is, and the record. */
    static Map<String, Object> writeFile(Environment environment, TuningRecord record) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("format", FORMAT);
        object.put("environment", environment.hash());
        object.putAll(write(record));
        return object;
    }

    /**
     * Reads a record's file.
     *
     * @throws JsonException if it is of another environment or another format, or no record
     */
    static TuningRecord readFile(Environment environment, JsonObject object) throws JsonException {
        object.require("format", FORMAT);
        object.require("environment", environment.hash());
        return readRecord(object);
    }

    static Map<String, Object> write(TuningRecord record) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("key", write(record.key()));
        object.put("chosen", record.chosen());
        object.put("default", record.defaultVariant());
        object.put("reason", record.reason());
        object.put("measuredAt", record.measuredAt().toString());
        object.put("candidates", record.candidates().stream().map(RecordFormat::write).toList());
        return object;
    }

    private static Map<String, Object> write(TuningKey key) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("specification", key.specification());
        object.put("specificationHash", key.specificationHash());
        object.put("sourcesHash", key.sourcesHash());
        object.put("operation", key.operation());
        object.put("contextTokens", key.contextTokens());
        object.put("groupSize", key.groupSize());
        object.put("threads", key.threads());
        object.put("policy", key.policy());
        return object;
    }

    private static Map<String, Object> write(CandidateResult candidate) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("variant", candidate.variant());
        object.put("verdict", candidate.verdict().name());
        object.put("reason", candidate.reason());
        object.put("medianNanos", candidate.medianNanos());
        object.put("lowerQuartileNanos", candidate.lowerQuartileNanos());
        object.put("upperQuartileNanos", candidate.upperQuartileNanos());
        object.put("rounds", candidate.rounds());
        return object;
    }

    static TuningRecord readRecord(JsonObject object) throws JsonException {
        // The constructors check what they are given.
        try {
            List<CandidateResult> candidates = new ArrayList<>();
            for (JsonObject candidate : object.objects("candidates")) {
                candidates.add(readCandidate(candidate));
            }
            return new TuningRecord(
                    readKey(object.object("key")),
                    object.string("chosen"),
                    object.string("default"),
                    object.string("reason"),
                    Instant.parse(object.string("measuredAt")),
                    candidates);
        } catch (DateTimeException | IllegalArgumentException invalid) {
            throw new JsonException(invalid.getMessage());
        }
    }

    private static TuningKey readKey(JsonObject object) throws JsonException {
        return new TuningKey(
                object.string("specification"),
                object.string("specificationHash"),
                object.string("sourcesHash"),
                object.string("operation"),
                object.integer("contextTokens"),
                object.integer("groupSize"),
                object.integer("threads"),
                object.string("policy"));
    }

    private static CandidateResult readCandidate(JsonObject object) throws JsonException {
        return new CandidateResult(
                object.string("variant"),
                readVerdict(object),
                object.string("reason"),
                object.numberOrNaN("medianNanos"),
                object.numberOrNaN("lowerQuartileNanos"),
                object.numberOrNaN("upperQuartileNanos"),
                object.integer("rounds"));
    }

    private static Verdict readVerdict(JsonObject object) throws JsonException {
        try {
            return Verdict.valueOf(object.string("verdict"));
        } catch (IllegalArgumentException unknown) {
            throw new JsonException('"' + object.string("verdict") + "\" is no verdict");
        }
    }
}
