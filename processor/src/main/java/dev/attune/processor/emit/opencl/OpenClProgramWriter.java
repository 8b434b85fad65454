package dev.attune.processor.emit.opencl;

import dev.attune.annotations.NumberFormat;
import dev.attune.processor.plan.OpenClPlan;
import java.util.EnumSet;

/** Writes the OpenCL program of a plan: all kernels in one text, since every program has a context of its own. */
public final class OpenClProgramWriter {

    private OpenClProgramWriter() {}

    /** Returns the program's text. */
    public static String write(OpenClPlan plan) {
        StringBuilder text = new StringBuilder();
        text.append("// OpenCL C 1.2 kernels of ").append(plan.model().specificationName()).append(".\n\n");
        text.append(ConstantsText.write(plan));
        text.append("""

            // Packing rounds every operation, as Java does: its bytes are then the same everywhere.
            #pragma OPENCL FP_CONTRACT OFF
            """);
        for (NumberFormat format : EnumSet.of(plan.model().keys().plainFormat(), plan.model().values().plainFormat())) {
            text.append(StoredNumber.of(format).functions());
        }
        text.append(PlaceText.write(plan));
        text.append(PackText.write(plan));
        text.append(DenseText.write(plan));
        text.append(TransferText.write(plan));
        text.append("""

            // From here on, products and sums may be fused.
            #pragma OPENCL FP_CONTRACT ON
            """);
        text.append(AttendText.write(plan));
        return text.toString();
    }
}
