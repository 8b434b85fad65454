package dev.attune.processor;

import dev.attune.processor.model.SourceFingerprint;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The text of a profile, as {@code attune tune ... --export} writes it: environments, each with its records. */
public final class ProfileText {

    private final List<String> environments = new ArrayList<>();
    private final List<String> records = new ArrayList<>();
    private String manifest = "";

    /** Begins an environment of a processor with vectors of so many bits. */
    public ProfileText on(String processor, int vectorBits) {
        finishEnvironment();
        manifest = """
                "environment": {
                        "processor": "%s", "processors": "4", "vectorBits": "%d",
                        "system": "Linux", "architecture": "amd64",
                        "vm": "OpenJDK 64-Bit Server VM of Eclipse Adoptium", "javaVersion": "25.0.1+8-LTS",
                        "vmFlags": "", "devices": "", "attuneVersion": "0.1.0"
                      }""".formatted(processor, vectorBits);
        return this;
    }

    /** Adds a record of a decode step, which took 0.25 ns with the fastest variant and 0.5 with another. */
    public ProfileText record(
            String specification,
            SourceFingerprint fingerprint,
            int contextTokens,
            int threads,
            String chosen,
            String byDefault,
            String measuredAt) {
        String other = chosen.equals(byDefault) ? "scalar" : byDefault;
        records.add("""
                {
                          "key": {
                            "specification": "%s",
                            "specificationHash": "%s",
                            "sourcesHash": "%s",
                            "operation": "attend",
                            "contextTokens": %d,
                            "groupSize": 4,
                            "threads": %d,
                            "policy": "quick"
                          },
                          "chosen": "%s",
                          "default": "%s",
                          "reason": "it was faster",
                          "measuredAt": "%s",
                          "candidates": [%s,
                            {"variant": "vector999", "verdict": "UNSUPPORTED", "reason": "none has it",
                             "medianNanos": null, "lowerQuartileNanos": null, "upperQuartileNanos": null, "rounds": 0}]
                        }""".formatted(
                specification,
                fingerprint.specification(),
                fingerprint.sources(),
                contextTokens,
                threads,
                chosen,
                byDefault,
                measuredAt,
                candidate(chosen, 0.25) + "," + candidate(other, 0.5)));
        return this;
    }

    private static String candidate(String variant, double nanos) {
        return String.format(Locale.ROOT, """

                            {"variant": "%s", "verdict": "TIMED", "reason": "",
                             "medianNanos": %s, "lowerQuartileNanos": %s, "upperQuartileNanos": %s, "rounds": 9}""",
                variant, nanos, nanos, nanos);
    }

    private void finishEnvironment() {
        if (!manifest.isEmpty()) {
            environments.add("""
                    {
                          %s,
                          "records": [%s]
                        }""".formatted(manifest, String.join(", ", records)));
            records.clear();
        }
    }

    /** Returns the text; nothing may be added after that. */
    @Override
    public String toString() {
        finishEnvironment();
        manifest = "";
        return """
                {
                  "format": "attune-profile-1",
                  "environments": [%s]
                }
                """.formatted(String.join(", ", environments));
    }
}
