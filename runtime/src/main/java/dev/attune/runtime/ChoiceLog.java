package dev.attune.runtime;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Logs the choice of kernels and the reason of every rung, once per specification and variant. */
final class ChoiceLog {

    private static final Logger LOGGER = System.getLogger("dev.attune");

    /** Hangs on the class, so that specifications can be unloaded. */
    private static final ClassValue<Set<String>> LOGGED = new ClassValue<>() {
        @Override
        protected Set<String> computeValue(Class<?> specification) {
            return ConcurrentHashMap.newKeySet();
        }
    };

    private ChoiceLog() {}

    static void log(Class<?> specification, int threads, VariantChoice choice) {
        if (VerboseTopic.SELECT.enabled()) {
            for (Rung rung : choice.ladder()) {
                String verdict = rung.chosen() ? "chosen" : rung.supported() ? "supported" : "unsupported";
                VerboseTopic.SELECT.print(specification.getName(), threads, rung.variant(), verdict, rung.reason());
            }
        }
        if (!LOGGED.get(specification).add(choice.variant().name())) {
            return;
        }
        LOGGER.log(Level.INFO, () -> specification.getName() + " runs on " + reasons(choice));
        for (String warning : choice.warnings()) {
            LOGGER.log(
                    Level.WARNING,
                    () -> specification.getName() + " could run on faster kernels, but " + warning);
        }
    }

    /** Returns the ladder in a line, the chosen rung first; of the other backends their default variant. */
    private static String reasons(VariantChoice choice) {
        Stream<Rung> others = choice.ladder().stream()
                .filter(rung -> rung.backend() != choice.variant().backend()
                        && rung.variant().equals(BackendName.of(rung.backend())));
        return Stream.concat(Stream.of(choice.chosen()), others).map(Rung::toString).collect(Collectors.joining("; "));
    }

    /** Logs a warning about a specification the first time it comes up. */
    static void warnOnce(Class<?> specification, String warning) {
        if (LOGGED.get(specification).add(warning)) {
            LOGGER.log(Level.WARNING, () -> specification.getName() + ": " + warning);
        }
    }
}
