/** Shows results: an aligned table, JSON, and a self-contained web page with charts. */
package dev.attune.examples.report;
