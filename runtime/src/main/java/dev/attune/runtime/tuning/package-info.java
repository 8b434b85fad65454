/**
 * Measurements of kernels: how they are made, and the store that remembers them. Knows nothing of kernels themselves.
 *
 * <p>A {@link dev.attune.runtime.tuning.Contest} times contestants against one another; a
 * {@link dev.attune.runtime.tuning.TuningRecord} says what came of it, under a
 * {@link dev.attune.runtime.tuning.TuningKey} and for an {@link dev.attune.runtime.tuning.Environment}; the
 * {@link dev.attune.runtime.tuning.TuningStore} keeps records in files, and a
 * {@link dev.attune.runtime.tuning.TuningProfile} carries them from machine to machine and into builds.
 */
package dev.attune.runtime.tuning;
