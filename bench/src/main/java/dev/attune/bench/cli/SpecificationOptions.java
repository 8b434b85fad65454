package dev.attune.bench.cli;

import dev.attune.bench.tuning.SpecificationCatalogue;
import dev.attune.examples.InputException;
import dev.attune.runtime.spi.KernelProvider;
import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Option;

/** Where commands look for specifications. */
final class SpecificationOptions {

    @Option(
            names = {"-c", "--class-path"},
            paramLabel = "PATH",
            description = "Jars and folders of compiled specifications, besides Attune's own examples.")
    String classPath = "";

    SpecificationCatalogue catalogue() {
        return SpecificationCatalogue.find(Arrays.stream(classPath.split(File.pathSeparator))
                .filter(place -> !place.isEmpty())
                .map(Path::of)
                .toList());
    }

    /** Returns the providers of some specifications, by their simple or qualified names. */
    List<KernelProvider> named(List<String> names) {
        SpecificationCatalogue catalogue = catalogue();
        return names.stream().map(catalogue::named).distinct().toList();
    }

    /** Returns the providers of some specifications, or of all but those of Attune's benchmarks. */
    List<KernelProvider> namedOrAll(List<String> names, boolean all) {
        if (all == names.isEmpty()) {
            return all ? catalogue().withoutBenchmarks().providers() : named(names);
        }
        throw new InputException(
                all
                        ? "--all and names of specifications exclude each other; write one or the other"
                        : "name a specification, or write --all; attune specs lists them");
    }
}
