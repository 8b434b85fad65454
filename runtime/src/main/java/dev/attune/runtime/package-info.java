/** What a user meets: the entry point, the cache, and the reasons for the chosen backend. */
package dev.attune.runtime;
