/** The protocol: prefill a prompt once, prune it into several caches, decode on all of them together, compare. */
package dev.attune.examples.evaluation;
