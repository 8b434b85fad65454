package dev.attune.processor.profile;

import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.diagnostics.Reporter;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What one file says.
 *
 * @param file the file, as the option names it
 * @param measurements its measurements of decode steps, in its order
 */
record Profile(Path file, List<Measurement> measurements) {

    /** Copies the list of measurements. */
    Profile {
        measurements = List.copyOf(measurements);
    }

    /** Reads a file; returns nothing if it was reported as unreadable or not understood. */
    static Optional<Profile> read(Path file, Reporter reporter) {
        try (Reader reader = Files.newBufferedReader(file)) {
            JsonValue document = JsonValue.read(reader);
            String version = ProfileFormat.version(document);
            if (!version.equals(ProfileFormat.CURRENT)) {
                reporter.report(Message.PROFILE_VERSION_UNKNOWN.at(
                        Position.NOWHERE, file, version, ProfileFormat.CURRENT));
                return Optional.of(new Profile(file, List.of()));
            }
            return Optional.of(new Profile(file, ProfileFormat.measurements(document)));
        } catch (InvalidProfileException invalid) {
            reporter.report(Message.PROFILE_INVALID.at(
                    Position.NOWHERE, file, invalid.line(), invalid.column(), invalid.getMessage()));
        } catch (IOException cause) {
            reporter.report(Message.PROFILE_UNREADABLE.at(
                    Position.NOWHERE, file, cause, Path.of("").toAbsolutePath()));
        }
        return Optional.empty();
    }

    /** Returns the name of the file, without a folder: it is the same wherever the file lies. */
    String name() {
        return file.getFileName().toString();
    }

    /** Returns the names of the specifications, each once. */
    List<String> specifications() {
        return measurements.stream().map(Measurement::specification).distinct().toList();
    }
}
