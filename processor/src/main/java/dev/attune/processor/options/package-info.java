/** The processor's {@code -Aattune.*} options. */
package dev.attune.processor.options;
