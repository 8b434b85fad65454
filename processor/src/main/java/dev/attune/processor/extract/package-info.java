/** From javac's view of an annotated interface to data; the only stage that knows {@code javax.lang.model}. */
package dev.attune.processor.extract;
