/**
 * One specification per cache of the evaluation of byte-lm, the trained byte-level model shipped with the examples.
 *
 * <p>All of them keep generated tokens dense, because the protocol prunes the prompt and nothing else.
 */
package dev.attune.examples.bytelm;
