/** Hand-written kernels that prune nothing, to test the cache around them; outside the runtime's package and module. */
package dev.attune.reference;
