package dev.attune.bench.tuning;

import dev.attune.examples.report.ResultTable;
import dev.attune.runtime.Rung;
import dev.attune.runtime.spi.CacheLayout;
import dev.attune.runtime.spi.KernelProvider;
import dev.attune.runtime.tuning.TuningRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** One web page about what was measured, and chosen, on this machine; it needs nothing else. */
public final class TuningReport {

    private static final String STYLE = """
            body { margin: 0; background: #f4f6f8; color: #1f2630; font: 15px/1.5 system-ui, sans-serif; }
            main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 48px; }
            h1 { margin: 0; font-size: 26px; }
            h2 { margin: 0 0 8px; font-size: 17px; }
            h3 { margin: 16px 0 4px; font-size: 14px; }
            header p, .caption { margin: 4px 0; color: #56616e; font-size: 13px; }
            section { margin-top: 20px; padding: 20px 22px; background: #fff; border: 1px solid #e3e7ec;
                      border-radius: 10px; overflow-x: auto; }
            table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
            th, td { padding: 5px 8px; border-bottom: 1px solid #e3e7ec; text-align: right; white-space: nowrap; }
            th { color: #56616e; font-weight: 600; }
            th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
            tr.chosen td { background: #eaf6f1; font-weight: 600; }
            svg { display: block; width: 100%; max-width: 860px; height: auto; margin: 0 auto; }
            ul { margin: 0; padding-left: 20px; font-size: 13px; }
            """;

    private final StringBuilder page = new StringBuilder();
    private final Map<Integer, Double> readGigabytes;

    private TuningReport(Map<Integer, Double> readGigabytes) {
        this.readGigabytes = readGigabytes;
    }

    /**
     * What is known of one specification.
     *
     * @param provider its kernels
     * @param ladder why which variant is chosen without measurements
     * @param records what was measured, at least one record
     */
    public record Chapter(KernelProvider provider, List<Rung> ladder, List<TuningRecord> records) {

        /** Copies the lists. */
        public Chapter {
            ladder = List.copyOf(ladder);
            records = List.copyOf(records);
        }
    }

    /**
     * Returns the page.
     *
     * @param machine what it was measured on, in a line
     * @param chapters one for each specification
     * @param readGigabytes how fast memory is read, in 1e9 bytes a second, by number of threads; where it was measured
     */
    public static String page(String machine, List<Chapter> chapters, Map<Integer, Double> readGigabytes) {
        TuningReport report = new TuningReport(readGigabytes);
        report.page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<title>Attune: kernels measured</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n<main>\n<header><h1>Kernels, measured and chosen</h1>\n<p>")
                .append(escape(machine))
                .append("</p></header>\n");
        readGigabytes.forEach((threads, gigabytes) -> report.addRoofline(chapters, threads, gigabytes));
        chapters.forEach(report::add);
        return report.page.append("</main>\n</body>\n</html>\n").toString();
    }

    /** Each specification at the longest context that was measured. */
    private void addRoofline(List<Chapter> chapters, int threads, double gigabytes) {
        List<ChoiceChart.Point> points = new ArrayList<>();
        for (Chapter chapter : chapters) {
            chapter.records().stream()
                    .filter(record -> record.key().threads() == threads)
                    .filter(record -> record.candidate(record.chosen())
                            .filter(chosen -> Double.isFinite(chosen.medianNanos()))
                            .isPresent())
                    .max(Comparator.comparingInt(record -> record.key().contextTokens()))
                    .ifPresent(record -> points.add(new ChoiceChart.Point(
                            RecordTable.name(record), bytesPerToken(chapter.provider()), record)));
        }
        if (points.isEmpty()) {
            return;
        }
        page.append("<section><h2>Beside reading memory, ")
                .append(RecordTable.threads(threads))
                .append("</h2>\n")
                .append(ChoiceChart.svg(points, gigabytes, "roofline-" + threads))
                .append("\n<p class=\"caption\">Each specification at its longest context. Nothing that reads its")
                .append(" bytes from memory is below the line; what fits the processor's caches may be.")
                .append("</p>\n</section>\n");
    }

    private void add(Chapter chapter) {
        page.append("<section><h2>")
                .append(escape(chapter.provider().specification().getName()))
                .append("</h2>\n<p class=\"caption\">")
                .append(escape(summary(chapter.provider())))
                .append("</p>\n");
        Map<Integer, List<TuningRecord>> byThreads = chapter.records().stream()
                .collect(Collectors.groupingBy(record -> record.key().threads(), TreeMap::new, Collectors.toList()));
        byThreads.forEach((threads, records) -> {
            String id = "chart-" + chapter.provider().fingerprint().specification() + "-" + threads;
            page.append("<h3>").append(RecordTable.threads(threads)).append("</h3>\n")
                    .append(VariantChart.svg(records, leastNanos(chapter.provider(), threads), id))
                    .append("\n<p class=\"caption\">Rings mark the chosen variants; what takes more than ")
                    .append(VariantChart.MOST_TIMES)
                    .append(" times as long as the fastest is in the tables only")
                    .append(readGigabytes.containsKey(threads)
                            ? String.format(
                                    Locale.ROOT,
                                    "; the dashed line is reading the cache's bytes at %.1f GB/s, as fast as plain"
                                            + " reading was here.",
                                    readGigabytes.get(threads))
                            : ".")
                    .append("</p>\n");
            records.forEach(this::add);
        });
        page.append("<h3>Without measurements</h3>\n<ul>\n");
        chapter.ladder().forEach(rung -> page.append("<li>")
                .append(escape(rung.toString()))
                .append(rung.chosen() ? " (chosen)" : "")
                .append("</li>\n"));
        page.append("</ul>\n</section>\n");
    }

    private void add(TuningRecord record) {
        ResultTable table = RecordTable.table(record);
        page.append("<h3>").append(escape(RecordTable.title(record))).append("</h3>\n<table><thead><tr>");
        table.header().forEach(cell -> page.append("<th>").append(escape(cell)).append("</th>"));
        page.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : table.rows()) {
            page.append(row.getFirst().equals(record.chosen()) ? "<tr class=\"chosen\">" : "<tr>");
            row.forEach(cell -> page.append("<td>").append(escape(cell)).append("</td>"));
            page.append("</tr>\n");
        }
        page.append("</tbody></table>\n<p class=\"caption\">Chosen: ")
                .append(escape(record.chosen() + ", " + record.reason()))
                .append("; measured ")
                .append(escape(record.measuredAt().toString()))
                .append("</p>\n");
    }

    /** Returns how long reading a token's bytes of one head takes at least. */
    private double leastNanos(KernelProvider provider, int threads) {
        Double gigabytes = readGigabytes.get(threads);
        return gigabytes == null ? Double.NaN : bytesPerToken(provider) / gigabytes;
    }

    private static double bytesPerToken(KernelProvider provider) {
        return provider.layout().tileBytes() / (double) CacheLayout.TILE_TOKENS;
    }

    /** Returns the numbers of a specification in a line. */
    public static String summary(KernelProvider provider) {
        return String.format(
                Locale.ROOT,
                "%d query heads over %d key-value heads of %d channels; %.1f bytes per token and head; %d variants",
                provider.shape().queryHeads(),
                provider.shape().keyValueHeads(),
                provider.shape().headDim(),
                bytesPerToken(provider),
                provider.variants().size());
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
