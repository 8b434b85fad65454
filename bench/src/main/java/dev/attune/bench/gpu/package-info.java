/** The decode step on OpenCL devices, checked against the oracle and timed. Needs neither JMH nor the Vector API. */
package dev.attune.bench.gpu;
