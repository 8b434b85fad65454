/** What is compared with what, and how that is run. */
package dev.attune.bench.compare;
