/** The specification of an attention layer, as written by a model author. */
package dev.attune.annotations;
