/** The settings of the process: system properties and environment variables. Not exported. */
package dev.attune.runtime.settings;
