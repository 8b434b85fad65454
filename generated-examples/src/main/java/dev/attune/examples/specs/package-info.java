/** Attention layers of well-known models, as their authors would write them. */
package dev.attune.examples.specs;
