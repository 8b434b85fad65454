package dev.attune.examples.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/** Opens several resources, or leaves none open. */
final class AllOrNone {

    private AllOrNone() {}

    /** Opens {@code count} resources; if one fails, those before it are closed and the failure is thrown on. */
    static <T> List<T> open(int count, IntFunction<T> open, Consumer<T> close) {
        List<T> opened = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                opened.add(open.apply(i));
            }
            // An Error too: a cache that does not fit is an OutOfMemoryError.
        } catch (RuntimeException | Error e) {
            opened.forEach(close);
            throw e;
        }
        return List.copyOf(opened);
    }
}
