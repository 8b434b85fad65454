/**
 * OpenCL devices, programs and buffers. Programs are built and launched through Aparapi, in one class alone; memory and
 * every question Aparapi has no answer to go to the OpenCL library by the Foreign Function API.
 */
package dev.attune.runtime.opencl;
