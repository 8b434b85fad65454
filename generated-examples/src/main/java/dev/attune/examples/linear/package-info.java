/** Dense single-precision linear algebra on the Vector API, spread over the machine's cores. */
package dev.attune.examples.linear;
