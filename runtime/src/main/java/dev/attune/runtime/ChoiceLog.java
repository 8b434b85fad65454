package dev.attune.runtime;

import dev.attune.annotations.Backend;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Logs the choice of a backend and the reason of every rung, once per specification and backend. */
final class ChoiceLog {

    private static final Logger LOGGER = System.getLogger("dev.attune");

    /** Hangs on the class, so that specifications can be unloaded. */
    private static final ClassValue<Set<Backend>> LOGGED = new ClassValue<>() {
        @Override
        protected Set<Backend> computeValue(Class<?> specification) {
            return ConcurrentHashMap.newKeySet();
        }
    };

    private ChoiceLog() {}

    static void log(Class<?> specification, BackendChoice choice) {
        if (!LOGGED.get(specification).add(choice.backend())) {
            return;
        }
        LOGGER.log(Level.INFO, () -> specification.getName() + " runs on " + reasons(choice));
        for (String warning : choice.warnings()) {
            LOGGER.log(
                    Level.WARNING,
                    () -> specification.getName() + " could run on faster kernels, but " + warning);
        }
    }

    /** Returns the ladder in a line, the chosen rung first. */
    private static String reasons(BackendChoice choice) {
        Stream<Rung> others = choice.ladder().stream().filter(rung -> !rung.chosen());
        return Stream.concat(Stream.of(choice.chosen()), others).map(Rung::toString).collect(Collectors.joining("; "));
    }
}
