/** Writes OpenCL C: text only, from a plan. */
package dev.attune.processor.emit.opencl;
