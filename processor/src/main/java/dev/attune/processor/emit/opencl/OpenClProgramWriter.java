package dev.attune.processor.emit.opencl;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.NvidiaPlan;
import dev.attune.processor.plan.OpenClPlan;
import java.util.EnumSet;

/** Writes the parts of a specification's OpenCL programs; a program is the common part and one decode step. */
public final class OpenClProgramWriter {

    private OpenClProgramWriter() {}

    /** Returns the constants and the kernels that pack, store and move tiles. */
    public static String common(OpenClPlan plan) {
        StringBuilder text = new StringBuilder();
        text.append("// OpenCL C 1.2 kernels of ").append(plan.model().specificationName()).append(".\n\n");
        text.append(ConstantsText.write(plan));
        text.append("""

            // Packing rounds every operation, as Java does: its bytes are then the same everywhere.
            #pragma OPENCL FP_CONTRACT OFF
            """);
        for (NumberFormat format : EnumSet.of(
                plan.model().keys().plainFormat(), plan.model().values().plainFormat())) {
            text.append(StoredNumber.of(format).functions());
        }
        text.append(PlaceText.write(plan));
        text.append(PackText.write(plan));
        text.append(DenseText.write(plan));
        text.append(TransferText.write(plan));
        if (NvidiaPlan.of(plan).filter(NvidiaPlan::arranged).isPresent()) {
            text.append(ArrangeText.write(plan));
        }
        return text.toString();
    }

    /** Returns the decode step for any device. */
    public static String attend(OpenClPlan plan) {
        return AttendText.write(plan);
    }

    /** Returns the decode step for NVIDIA devices of compute capability 9.0 and up. */
    public static String nvidiaAttend(NvidiaPlan plan) {
        return NvidiaAttendText.write(plan);
    }
}
