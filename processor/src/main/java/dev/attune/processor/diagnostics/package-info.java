/** What the processor says to a model author, and where; independent of javac. */
package dev.attune.processor.diagnostics;
