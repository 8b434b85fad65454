package dev.attune.runtime.tuning;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Measurements on their way from machine to machine, or into a build: what {@code attune export} writes, {@code attune
 * import} adds to a store, and the processor's option {@code -Aattune.profile} reads.
 *
 * @param chapters what is known of each environment
 */
public record TuningProfile(List<TuningStore.Chapter> chapters) {

    private static final String FORMAT = "attune-profile-1";

    /** Copies the list of chapters. */
    public TuningProfile {
        chapters = List.copyOf(chapters);
    }

    /** Returns it as JSON, the same for the same records. */
    public String toJson() {
        List<Object> environments = new ArrayList<>();
        for (TuningStore.Chapter chapter : chapters) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("environment", chapter.environment().manifest());
            object.put("records", chapter.records().stream().map(RecordFormat::write).toList());
            environments.add(object);
        }
        Map<String, Object> profile = new LinkedHashMap<>();
        profile.put("format", FORMAT);
        profile.put("environments", environments);
        return JsonWriter.write(profile);
    }

    /**
     * Reads a profile.
     *
     * @throws IllegalArgumentException if it is none; the message says where and why
     */
    public static TuningProfile parse(String json) {
        try {
            JsonObject profile = JsonReader.read(json);
            profile.require("format", FORMAT);
            List<TuningStore.Chapter> chapters = new ArrayList<>();
            for (JsonObject object : profile.objects("environments")) {
                List<TuningRecord> records = new ArrayList<>();
                for (JsonObject record : object.objects("records")) {
                    records.add(RecordFormat.readRecord(record));
                }
                chapters.add(new TuningStore.Chapter(Environment.of(object.object("environment")), records));
            }
            return new TuningProfile(chapters);
        } catch (JsonException invalid) {
            throw new IllegalArgumentException("no tuning profile: " + invalid.getMessage(), invalid);
        }
    }

    /** Returns both together; under a key that both have, the other's record. */
    public TuningProfile with(TuningProfile other) {
        Map<String, Environment> environments = new LinkedHashMap<>();
        Map<String, Map<String, TuningRecord>> records = new LinkedHashMap<>();
        Stream.concat(chapters.stream(), other.chapters.stream()).forEach(chapter -> {
            String hash = chapter.environment().hash();
            environments.put(hash, chapter.environment());
            Map<String, TuningRecord> byKey = records.computeIfAbsent(hash, first -> new TreeMap<>());
            chapter.records().forEach(record -> byKey.put(record.key().fileName(), record));
        });
        return new TuningProfile(environments.entrySet().stream()
                .map(entry -> new TuningStore.Chapter(
                        entry.getValue(), List.copyOf(records.get(entry.getKey()).values())))
                .toList());
    }
}
