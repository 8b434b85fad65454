/** The demo: a trained byte-level language model decoding on channel-pruned caches, measured against a dense cache. */
package dev.attune.examples;
