package dev.attune.runtime;

/** How many threads may work at once: a setting of the process, or of one {@link LayerKernels}. */
final class ThreadCount {

    /** The system property that sets it. */
    static final String PROPERTY = "attune.threads";

    /** The environment variable that sets it where the property does not. */
    static final String ENVIRONMENT = "ATTUNE_THREADS";

    /** Far beyond any machine, and low enough that a slip of the keyboard starts no flood of threads. */
    static final int MOST = 1024;

    private ThreadCount() {}

    /**
     * Returns what the process is set to, or else the number of its processors.
     *
     * @throws IllegalArgumentException if the setting is no number from 1 to {@link #MOST}
     */
    static int ofProcess() {
        return of(System.getProperty(PROPERTY), System.getenv(ENVIRONMENT));
    }

    /** Returns the first setting that is not null, or else the number of processors. */
    static int of(String property, String environment) {
        if (property != null) {
            return parse(property, "the system property " + PROPERTY);
        }
        if (environment != null) {
            return parse(environment, "the environment variable " + ENVIRONMENT);
        }
        return Math.min(processors(), MOST);
    }

    /**
     * Checks a number.
     *
     * @param source where it comes from, for the message
     * @throws IllegalArgumentException if it is not from 1 to {@link #MOST}
     */
    static int require(int threads, String source) {
        if (threads < 1 || threads > MOST) {
            throw invalid(String.valueOf(threads), source);
        }
        return threads;
    }

    private static int parse(String text, String source) {
        try {
            return require(Integer.parseInt(text), source);
        } catch (NumberFormatException none) {
            throw invalid('"' + text + '"', source);
        }
    }

    private static IllegalArgumentException invalid(String value, String source) {
        return new IllegalArgumentException(source + " = " + value + " is no number of threads from 1 to " + MOST
                + "; this machine has " + processors() + " processors, which is what Attune uses if nothing is set");
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }
}
