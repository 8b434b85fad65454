package dev.attune.examples.evaluation;

/** Shows how far the long parts of the evaluation have come. */
@FunctionalInterface
public interface Progress {

    /** Shows nothing. */
    Progress NONE = (name, steps) -> () -> {};

    /**
     * Starts a part.
     *
     * @param name what it does
     * @param steps how many steps it takes
     */
    Part start(String name, int steps);

    /** One part; closed when it ends. */
    @FunctionalInterface
    interface Part extends AutoCloseable {

        /** Called after every step. */
        void step();

        @Override
        default void close() {}
    }
}
