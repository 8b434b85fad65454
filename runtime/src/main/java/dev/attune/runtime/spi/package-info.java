/** What the processor generates code against: one provider per specification, one set of kernels per backend. */
package dev.attune.runtime.spi;
