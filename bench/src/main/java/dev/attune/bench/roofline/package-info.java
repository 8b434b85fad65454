/** How fast this machine's memory can be read, which bounds what reads a cache once. */
package dev.attune.bench.roofline;
