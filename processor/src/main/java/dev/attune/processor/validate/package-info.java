/** Finds everything that is wrong with a specification before anything is generated for it. */
package dev.attune.processor.validate;
