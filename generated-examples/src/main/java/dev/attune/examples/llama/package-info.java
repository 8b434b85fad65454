/** The forward pass of Llama-architecture models over bytes, in single precision. */
package dev.attune.examples.llama;
