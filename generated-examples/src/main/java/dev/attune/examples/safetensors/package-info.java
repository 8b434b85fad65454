/** Reads the safetensors format: a JSON header followed by raw little-endian tensors. */
package dev.attune.examples.safetensors;
