/** Writes the generated classes: one small writer per kernel, all from a {@code KernelPlan}, never from the machine. */
package dev.attune.processor.emit;
