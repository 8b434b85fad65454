/**
 * Attune's annotation processors and the compiler behind them.
 *
 * <p>javac sees {@link dev.attune.processor.AttentionSpecProcessor} and
 * {@link dev.attune.processor.KernelProviderProcessor}; everything behind them can be called without it.
 */
package dev.attune.processor;
