package dev.attune.bench.gpu;

import dev.attune.runtime.opencl.DeviceBuffer;
import dev.attune.runtime.opencl.OpenClDevice;
import dev.attune.runtime.opencl.OpenClKernel;
import dev.attune.runtime.opencl.OpenClProgram;
import java.util.Arrays;
import java.util.List;

/** The bandwidth at which a device reads memory and does nothing else: the ceiling of every decode step. */
final class ReadBandwidth {

    private static final long BYTES = 1L << 30;
    private static final int ITEMS = 128;

    private static final String SOURCE = """
        kernel void read(global const uint4 *numbers, global uint *result, int count) {
            uint4 sum = 0;
            size_t stride = get_global_size(0);
            size_t i = get_global_id(0);
            for (; i + 7 * stride < (size_t) count; i += 8 * stride) {
                uint4 loaded[8];
                for (int k = 0; k < 8; k++) {
                    loaded[k] = numbers[i + k * stride];
                }
                for (int k = 0; k < 8; k++) {
                    sum ^= loaded[k];
                }
            }
            for (; i < (size_t) count; i += stride) {
                sum ^= numbers[i];
            }
            if ((sum.x ^ sum.y ^ sum.z ^ sum.w) == 12345) {
                *result = 1;
            }
        }
        """;

    private ReadBandwidth() {}

    /** Returns gigabytes per second, the best of several launches of several sizes. */
    static double measure(OpenClDevice device) {
        long bytes = Math.min(BYTES, device.allocationBytes() / 4) / 16 * 16;
        try (OpenClProgram program = OpenClProgram.build(device, SOURCE);
                DeviceBuffer numbers = program.allocate(bytes, "numbers to read");
                DeviceBuffer result = program.allocate(4, "a result")) {
            OpenClKernel read = program.kernel(
                    "read",
                    List.of(
                            OpenClKernel.Parameter.pointer("numbers"),
                            OpenClKernel.Parameter.pointer("result"),
                            OpenClKernel.Parameter.number("count")));
            long best = Long.MAX_VALUE;
            program.takeTimes(true);
            for (int groupsPerUnit : new int[] {8, 16, 32}) {
                for (int i = 0; i < 10; i++) {
                    read.launch(device.computeUnits() * groupsPerUnit, ITEMS, numbers, result, (int) (bytes / 16));
                    best = Math.min(best, Arrays.stream(program.launchNanos()).sum());
                }
            }
            return (double) bytes / best;
        }
    }
}
