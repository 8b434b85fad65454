package dev.attune.runtime.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every mistake is refused in words before Aparapi, which would print it or end the JVM, gets to see it. */
class OpenClFaultTest {

    private static final String DOUBLING = """
        kernel void doubled(global int *numbers, int count) {
            int i = get_global_id(0);
            if (i < count) {
                numbers[i] *= 2;
            }
        }
        """;

    private static final List<OpenClKernel.Parameter> PARAMETERS =
            List.of(OpenClKernel.Parameter.pointer("numbers"), OpenClKernel.Parameter.number("count"));

    private OpenClDevice device;
    private OpenClProgram program;
    private OpenClKernel kernel;
    private DeviceBuffer numbers;

    @BeforeEach
    void build() {
        device = OpenClTestDevice.require();
        program = OpenClProgram.build(device, DOUBLING);
        kernel = program.kernel("doubled", PARAMETERS);
        numbers = program.allocate(64 * Integer.BYTES, "numbers");
    }

    @AfterEach
    void close() {
        if (program != null) {
            numbers.close();
            program.close();
        }
    }

    @Test
    void aSoundLaunchRuns() {
        assertDoubles();
        assertEquals(0, program.launchNanos().length, "times are taken when asked for");
        program.takeTimes(true);
        assertDoubles();
        assertDoubles();
        long[] nanos = program.launchNanos();
        assertEquals(2, nanos.length, "two launches were timed");
        assertTrue(nanos[0] > 0 && nanos[1] > 0, () -> nanos[0] + " and " + nanos[1] + " ns");
    }

    @Test
    void aSourceThatDoesNotCompileIsReportedWithTheLogAndItsNumberedLines() {
        OpenClException failure = assertThrows(
                OpenClException.class,
                () -> OpenClProgram.build(device, "kernel void broken(global int *x) {\n    x[0] = nothing;\n}\n"));
        String message = failure.getMessage();
        assertEquals(-11, failure.code());
        assertTrue(message.startsWith("clBuildProgram failed on " + device.name()), message);
        assertTrue(message.contains("nothing"), message);
        assertTrue(message.contains("    2      x[0] = nothing;"), message);
        assertDoubles();
    }

    @Test
    void aKernelThatIsNotThereIsReported() {
        assertRefused("has no kernel tripled", () -> program.kernel("tripled", PARAMETERS));
    }

    @Test
    void aKernelWithOtherParametersIsReported() {
        assertRefused(
                "kernel doubled takes 2 arguments, not 1", () -> program.kernel("doubled", PARAMETERS.subList(0, 1)));
    }

    @Test
    void rangesThatNoDeviceTakesAreRefused() {
        for (int[] range : new int[][] {{0, 64}, {-1, 64}, {1, 0}, {1, -64}, {1 << 26, 64}}) {
            assertRefused("cannot be launched", () -> kernel.launch(range[0], range[1], numbers, 64));
        }
        int items = (int) Math.min(device.workGroupItems() * 2, 1 << 30);
        assertRefused("at most", () -> kernel.launch(1, items, numbers, 64));
        assertDoubles();
    }

    @Test
    void argumentsOfAnotherNumberOrKindAreRefused() {
        assertRefused("takes 2 arguments, not 1", () -> kernel.launch(1, 64, numbers));
        assertRefused("argument numbers of kernel doubled is 7", () -> kernel.launch(1, 64, 7, 64));
        assertRefused("argument count of kernel doubled is null", () -> kernel.launch(1, 64, numbers, null));
        assertRefused("argument count of kernel doubled is 64", () -> kernel.launch(1, 64, numbers, 64L));
        assertDoubles();
    }

    @Test
    void aBufferOfAnotherProgramIsRefused() {
        try (OpenClProgram another = OpenClProgram.build(device, DOUBLING);
                DeviceBuffer foreign = another.allocate(256, "numbers of another program")) {
            assertRefused("is a buffer of another program", () -> kernel.launch(1, 64, foreign, 64));
        }
    }

    @Test
    void aClosedBufferOrProgramIsRefused() {
        DeviceBuffer closed = program.allocate(256, "numbers");
        closed.close();
        closed.close();
        assertRefused("closed buffer", () -> kernel.launch(1, 64, closed, 64));
        OpenClProgram gone = OpenClProgram.build(device, DOUBLING);
        OpenClKernel goneKernel = gone.kernel("doubled", PARAMETERS);
        gone.close();
        gone.close();
        assertRefused("is closed", () -> goneKernel.launch(1, 64, numbers, 64));
        assertRefused("is closed", () -> gone.allocate(256, "numbers"));
        assertDoubles();
    }

    @Test
    void transfersBeyondABufferAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(256);
            assertThrows(IndexOutOfBoundsException.class, () -> numbers.read(1, host));
            assertThrows(IndexOutOfBoundsException.class, () -> numbers.read(-1, host));
            assertThrows(IndexOutOfBoundsException.class, () -> numbers.write(Long.MAX_VALUE, host));
            assertThrows(IndexOutOfBoundsException.class, () -> numbers.write(0, host.asSlice(0, 0)));
            assertRefused("native memory only", () -> numbers.write(0, MemorySegment.ofArray(new int[64])));
        }
    }

    @Test
    void memoryTheDeviceHasNotIsRefusedWithTheSize() {
        long bytes = device.memoryBytes() / 4 * 4 + 4;
        OpenClException failure = assertThrows(OpenClException.class, () -> program.allocate(bytes, "too much"));
        assertEquals(ErrorName.OUT_OF_DEVICE_MEMORY, failure.code());
        assertTrue(failure.getMessage().contains(bytes + " bytes for too much"), failure.getMessage());
        assertDoubles();
    }

    @Test
    void unknownCodesKeepTheirNumber() {
        assertEquals("CL_OUT_OF_RESOURCES (-5)", ErrorName.of(-5));
        assertEquals("an unknown error (-4711)", ErrorName.of(-4711));
    }

    private void assertDoubles() {
        int[] sent = IntStream.range(0, 64).toArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_INT, sent);
            numbers.write(0, host);
            kernel.launch(2, 32, numbers, 64);
            numbers.read(0, host);
            assertArrayEquals(
                    IntStream.range(0, 64).map(i -> 2 * i).toArray(), host.toArray(ValueLayout.JAVA_INT));
        }
    }

    private static void assertRefused(String reason, Runnable call) {
        RuntimeException refusal = assertThrows(RuntimeException.class, call::run);
        assertTrue(refusal.getMessage().contains(reason), refusal::toString);
    }
}
