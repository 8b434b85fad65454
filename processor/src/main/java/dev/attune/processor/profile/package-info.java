/** What was measured before a compilation: profiles, and what of them holds for the kernels that are generated now. */
package dev.attune.processor.profile;
