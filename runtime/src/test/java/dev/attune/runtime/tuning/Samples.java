package dev.attune.runtime.tuning;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** Environments, keys and records to test with. */
final class Samples {

    static final Environment HERE = new Environment(
            "AMD EPYC, family 26, model 2", 2, 512, "Linux", "amd64", "a VM of a vendor", "25", "", "", "0.1.0");

    static final Environment ELSEWHERE = new Environment(
            "Neoverse-N1", 64, 128, "Linux", "aarch64", "a VM of a vendor", "25", "-XX:UseSVE=0", "", "0.1.0");

    private Samples() {}

    static StoreSettings writable(Path directory) {
        return new StoreSettings(directory, StoreSettings.Mode.WRITE);
    }

    static TuningKey key(int contextTokens) {
        return new TuningKey(
                "org.example.Llama$Attention", "0123456789abcdef", "fedcba9876543210", "attend", contextTokens, 4, 2,
                "interleaved-1");
    }

    static TuningRecord record(int contextTokens) {
        return record(contextTokens, "vector512-heads2 is 1.31 times as fast as vector512");
    }

    static TuningRecord record(int contextTokens, String reason) {
        return new TuningRecord(
                key(contextTokens),
                "vector512-heads2",
                "vector512",
                reason,
                Instant.parse("2026-03-01T12:34:56.789012345Z"),
                List.of(
                        new CandidateResult("vector512", Verdict.TIMED, "", 1.25, 1.125, 1.5, 31),
                        new CandidateResult(
                                "vector512-heads2", Verdict.TIMED, "", 0.1 + 0.2, Double.MIN_VALUE, 1e300, 31),
                        new CandidateResult("vector256", Verdict.STOPPED_EARLY, "3.4 times the best", 4, 4, 4, 1),
                        CandidateResult.untimed("scalar", Verdict.REFUSED, "wrong at \"token\" 3\n\tsee \\ above"),
                        CandidateResult.untimed(
                                "opencl", Verdict.UNSUPPORTED, "no device \u2026 \ud83d\ude00 \ud800")));
    }
}
