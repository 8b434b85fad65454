package dev.attune.processor.emit;

import dev.attune.processor.plan.KernelPlan;

/**
 * Multiplies a vector and adds to the product: in one instruction, or in two where the processors that a plan is for
 * need not have that one. Without it the Vector API's {@code fma} computes exactly, lane by lane, thousands of times
 * slower.
 */
final class MultiplyAddText {

    private MultiplyAddText() {}

    /** Returns the calls on a vector that multiply it by a factor and add to the product. */
    static String of(KernelPlan plan, String factor, String addend) {
        return (plan.fuses() ? ".fma(%s, %s)" : ".mul(%s).add(%s)").formatted(factor, addend);
    }
}
