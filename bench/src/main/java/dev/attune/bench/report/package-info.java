/** What was measured, as rows, a table, JSON and charts. */
package dev.attune.bench.report;
