package dev.attune.processor.profile;

import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Position;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.model.PlannedKernels;
import dev.attune.processor.model.Tuning;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** All profiles of a compilation. */
public final class Profiles {

    private final List<Profile> profiles;
    private final boolean winnersOnly;

    private Profiles(List<Profile> profiles, boolean winnersOnly) {
        this.profiles = List.copyOf(profiles);
        this.winnersOnly = winnersOnly;
    }

    /**
     * Reads profiles.
     *
     * @param files their files; where two disagree, the first one counts
     * @param winnersOnly whether variants that are nowhere the fastest are left out
     * @return the profiles, or nothing if one of them was reported as unreadable or not understood
     */
    public static Optional<Profiles> read(List<Path> files, boolean winnersOnly, Reporter reporter) {
        List<Profile> read = files.stream()
                .map(file -> Profile.read(file, reporter))
                .flatMap(Optional::stream)
                .toList();
        return read.size() == files.size() ? Optional.of(new Profiles(read, winnersOnly)) : Optional.empty();
    }

    /** Returns what was measured of a specification's kernels, and reports what was measured of others by its name. */
    public Tuning tuning(Specification specification, PlannedKernels kernels, Reporter reporter) {
        Lookup lookup = new Lookup(specification, kernels, reporter);
        Map<List<Object>, Tuning.Choice> choices = new LinkedHashMap<>();
        for (Profile profile : profiles) {
            for (Tuning.Choice choice : lookup.choices(profile)) {
                choices.putIfAbsent(List.of(choice.machine(), choice.contextTokens(), choice.threads()), choice);
            }
        }
        return new Tuning(List.copyOf(choices.values()), winnersOnly);
    }

    /**
     * Reports what was measured of specifications that do not exist.
     *
     * @param isSpecification whether there is a specification of a name
     */
    public void reportUnknown(Predicate<String> isSpecification, Reporter reporter) {
        for (Profile profile : profiles) {
            profile.specifications().stream()
                    .filter(isSpecification.negate())
                    .forEach(name -> reporter.report(
                            Message.PROFILE_SPECIFICATION_UNKNOWN.at(Position.NOWHERE, profile.file(), name)));
        }
    }
}
