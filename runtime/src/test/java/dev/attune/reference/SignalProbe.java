package dev.attune.reference;

import dev.attune.runtime.opencl.DeviceBuffer;
import dev.attune.runtime.opencl.OpenClDevices;
import dev.attune.runtime.opencl.OpenClException;
import dev.attune.runtime.opencl.OpenClKernel;
import dev.attune.runtime.opencl.OpenClProgram;
import java.util.ArrayList;
import java.util.List;

/**
 * Builds and runs a program, then does what the JVM needs its signal handlers for: null checks and divisions that trap,
 * stacks that overflow, and safepoints, on several threads. Runs in a JVM of its own, which a foreign handler would
 * end.
 */
final class SignalProbe {

    private static final int THREADS = 4;
    private static final int ROUNDS = 200_000;

    private int number = 1;

    public static void main(String[] arguments) throws InterruptedException {
        System.out.println("module " + OpenClProgram.class.getModule().getName());
        try {
            runProgram();
        } catch (OpenClException reason) {
            System.out.println("no OpenCL: " + reason.getMessage());
            return;
        }
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(Thread.ofPlatform().start(SignalProbe::provokeSignals));
        }
        // Programs are built on while the others provoke signals.
        for (int i = 0; i < 3; i++) {
            runProgram();
            System.gc();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("survived");
    }

    private static void runProgram() {
        try (OpenClProgram program = OpenClProgram.build(
                        OpenClDevices.find().preferred(),
                        "kernel void count(global int *numbers, int n) { numbers[get_global_id(0)] = n; } // "
                                + System.nanoTime());
                DeviceBuffer numbers = program.allocate(256, "numbers")) {
            OpenClKernel kernel = program.kernel(
                    "count",
                    List.of(OpenClKernel.Parameter.pointer("numbers"), OpenClKernel.Parameter.number("n")));
            kernel.launch(1, 64, numbers, 1);
        }
    }

    private static void provokeSignals() {
        SignalProbe[] probes = {new SignalProbe(), null};
        int nulls = 0;
        int divisions = 0;
        for (int round = 0; round < ROUNDS; round++) {
            try {
                nulls += probes[round % 2].number - 1;
            } catch (NullPointerException expected) {
                nulls++;
            }
            try {
                divisions += round / (round % 2) - round;
            } catch (ArithmeticException expected) {
                divisions++;
            }
            if (round % (ROUNDS / 10) == 0) {
                try {
                    descend(round);
                    throw new AssertionError("a stack without end");
                } catch (StackOverflowError expected) {
                    System.gc();
                }
            }
        }
        if (nulls != ROUNDS / 2 || divisions != ROUNDS / 2) {
            throw new AssertionError(nulls + " null pointers and " + divisions + " divisions by zero");
        }
    }

    private static int descend(int depth) {
        return 1 + descend(depth + 1);
    }
}
