package dev.attune.processor.profile;

import dev.attune.processor.diagnostics.Message;
import dev.attune.processor.diagnostics.Reporter;
import dev.attune.processor.extract.Specification;
import dev.attune.processor.model.PlannedKernels;
import dev.attune.processor.model.SourceFingerprint;
import dev.attune.processor.model.Tuning;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Finds in a profile what holds for the kernels of one specification, and reports what no longer does. */
final class Lookup {

    private static final Comparator<Measurement> SHORTEST_FIRST =
            Comparator.comparingInt(Measurement::contextTokens).thenComparingInt(Measurement::threads);

    private final Specification specification;
    private final PlannedKernels kernels;
    private final Reporter reporter;

    Lookup(Specification specification, PlannedKernels kernels, Reporter reporter) {
        this.specification = specification;
        this.kernels = kernels;
        this.reporter = reporter;
    }

    /**
     * Returns the choices of a profile: machine by machine in its order, the shorter contexts first. Where a machine
     * was measured twice, by two JVMs for example, the later measurement counts. What was measured of other kernels is
     * reported, unless the same machine measured these, too.
     */
    List<Tuning.Choice> choices(Profile profile) {
        Map<Tuning.Machine, List<Measurement>> byMachine = profile.measurements().stream()
                .filter(measurement -> specification.isCalled(measurement.specification()))
                .collect(Collectors.groupingBy(Measurement::machine, LinkedHashMap::new, Collectors.toList()));
        List<Measurement> valid = new ArrayList<>();
        List<Measurement> outdated = new ArrayList<>();
        for (List<Measurement> ofMachine : byMachine.values()) {
            List<Measurement> ofTheseKernels = ofMachine.stream()
                    .filter(measurement -> measurement.fingerprint().equals(kernels.fingerprint()))
                    .toList();
            valid.addAll(latest(ofTheseKernels));
            if (ofTheseKernels.isEmpty()) {
                outdated.addAll(ofMachine);
            }
        }
        reportOutdated(profile, outdated);
        Predicate<Measurement> isPlanned = measurement -> kernels.variants().contains(measurement.variant());
        reportUnknownVariants(profile, valid.stream().filter(isPlanned.negate()).toList());
        return valid.stream()
                .filter(isPlanned)
                .map(measurement -> measurement.choice(profile.name()))
                .toList();
    }

    private static List<Measurement> latest(List<Measurement> ofMachine) {
        List<Measurement> latest = new ArrayList<>();
        ofMachine.stream()
                .sorted(Comparator.comparing(Measurement::measuredAt).reversed())
                .filter(measurement -> latest.stream().noneMatch(measurement::answersTheSameAs))
                .forEach(latest::add);
        latest.sort(SHORTEST_FIRST);
        return latest;
    }

    private void reportOutdated(Profile profile, List<Measurement> outdated) {
        SourceFingerprint now = kernels.fingerprint();
        List<Measurement> otherKernels = outdated.stream()
                .filter(measurement -> measurement.fingerprint().specification().equals(now.specification()))
                .toList();
        List<Measurement> otherNumbers = outdated.stream()
                .filter(measurement -> otherKernels.stream()
                        .noneMatch(other -> other.machine().equals(measurement.machine())))
                .toList();
        if (!otherNumbers.isEmpty()) {
            reporter.report(Message.PROFILE_SPECIFICATION_CHANGED.at(
                    specification.annotation(),
                    profile.file(),
                    specification.qualifiedName(),
                    all(otherNumbers, Measurement::machine),
                    all(otherNumbers, measurement -> measurement.fingerprint().specification()),
                    now.specification()));
        }
        if (!otherKernels.isEmpty()) {
            reporter.report(Message.PROFILE_KERNELS_CHANGED.at(
                    specification.annotation(),
                    profile.file(),
                    specification.qualifiedName(),
                    all(otherKernels, Measurement::machine),
                    all(otherKernels, Measurement::attuneVersion),
                    all(otherKernels, measurement -> measurement.fingerprint().sources()),
                    now.sources()));
        }
    }

    private void reportUnknownVariants(Profile profile, List<Measurement> unknown) {
        if (!unknown.isEmpty()) {
            reporter.report(Message.PROFILE_VARIANT_UNKNOWN.at(
                    specification.annotation(),
                    profile.file(),
                    all(unknown, Measurement::variant),
                    specification.qualifiedName(),
                    String.join(", ", kernels.variants())));
        }
    }

    private static String all(List<Measurement> measurements, Function<Measurement, Object> part) {
        return measurements.stream().map(part).map(Object::toString).distinct().collect(Collectors.joining(" and "));
    }
}
