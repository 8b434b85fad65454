package dev.attune.runtime.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Puts the JVM's signal handlers back after native code has replaced them.
 *
 * <p>The JVM's null checks, safepoints and stack banging are signals. PoCL's compiler, LLVM, installs handlers of its
 * own for the same signals when it is loaded, which kills the JVM at its next null check. What the handlers were is
 * thus read before a call that may load or run a compiler, and set again after it. A signal that another thread raises
 * during such a call still meets the foreign handler; {@code LD_PRELOAD} of the JDK's {@code libjsig.so} covers that,
 * too.
 */
final class SignalHandlers {

    /** SIGILL, SIGBUS, SIGFPE and SIGSEGV, as Linux numbers them. */
    private static final int[] SIGNALS = {4, 7, 8, 11};

    /** More than the size of {@code struct sigaction} on any Linux; the content is of no interest here. */
    private static final long ACTION_BYTES = 512;

    private static final Optional<MethodHandle> SIGACTION = sigaction();

    private SignalHandlers() {}

    /** Runs what may install signal handlers, and restores those that were there before. */
    static <T> T preserved(Supplier<T> call) {
        if (SIGACTION.isEmpty()) {
            return call.get();
        }
        // Several threads may build programs at once: one that saved in between would save the foreign handlers.
        synchronized (SignalHandlers.class) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment[] actions = new MemorySegment[SIGNALS.length];
                for (int i = 0; i < SIGNALS.length; i++) {
                    actions[i] = arena.allocate(ACTION_BYTES, Long.BYTES);
                    sigaction(SIGNALS[i], MemorySegment.NULL, actions[i]);
                }
                try {
                    return call.get();
                } finally {
                    for (int i = 0; i < SIGNALS.length; i++) {
                        sigaction(SIGNALS[i], actions[i], MemorySegment.NULL);
                    }
                }
            }
        }
    }

    private static void sigaction(int signal, MemorySegment action, MemorySegment previous) {
        int result;
        try {
            result = (int) SIGACTION.orElseThrow().invokeExact(signal, action, previous);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        if (result != 0) {
            throw new IllegalStateException("sigaction failed for signal " + signal);
        }
    }

    @SuppressWarnings("restricted")
    private static Optional<MethodHandle> sigaction() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.empty();
        }
        FunctionDescriptor descriptor = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find("sigaction").map(symbol -> linker.downcallHandle(symbol, descriptor));
    }
}
