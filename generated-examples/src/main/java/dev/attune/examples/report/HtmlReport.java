package dev.attune.examples.report;

import dev.attune.examples.evaluation.CacheResult;
import dev.attune.runtime.Rung;
import java.util.List;
import java.util.stream.Collectors;

/** One web page that needs nothing else: styles and charts are inside. */
public final class HtmlReport {

    private static final String STYLE = """
            body { margin: 0; background: #f4f6f8; color: #1f2630; font: 15px/1.5 system-ui, sans-serif; }
            main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 48px; }
            h1 { margin: 0; font-size: 26px; }
            h2 { margin: 0 0 8px; font-size: 17px; }
            header p { margin: 4px 0; color: #56616e; }
            section { margin-top: 20px; padding: 20px 22px; background: #fff; border: 1px solid #e3e7ec;
                      border-radius: 10px; overflow-x: auto; }
            table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
            th, td { padding: 7px 8px; border-bottom: 1px solid #e3e7ec; text-align: right; white-space: nowrap; }
            th { color: #56616e; font-weight: 600; font-size: 13px; }
            th:first-child, td:first-child { text-align: left; font-weight: 600; }
            td small { display: block; color: #56616e; font-weight: 400; }
            tbody tr:last-child td { border-bottom: 0; }
            svg { display: block; width: 100%; max-width: 860px; height: auto; margin: 0 auto; }
            .caption { margin: 6px 0 0; color: #56616e; font-size: 13px; }
            ul { margin: 0; padding-left: 20px; }
            code { font: 13px ui-monospace, monospace; }
            """;

    private HtmlReport() {}

    /** Returns the page. */
    public static String page(Study study) {
        StringBuilder page = new StringBuilder();
        page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<title>Attune: channel-pruned caches on ").append(escape(study.model())).append("</title>\n")
                .append("<style>\n").append(STYLE).append("</style>\n</head>\n<body>\n<main>\n");
        page.append("<header><h1>Channel-pruned caches, measured</h1>\n<p>").append(escape(study.modelLine()))
                .append("</p>\n<p>").append(escape(study.machine().line())).append("</p></header>\n");
        section(page, "Results", table(study), "");
        AccuracyChart accuracy = AccuracyChart.of(study.results());
        section(page, "What pruning costs", accuracy.svg(), accuracy.leftOut().orElse(""));
        section(page, "Time of a decode step", DecodeChart.svg(study.results()),
                "One layer, all heads, one thread. Both axes are logarithmic.");
        section(page, "Does it still find the needle?", NeedleChart.svg(study.results()), "");
        section(page, "How it was measured", list(study.method()), "");
        section(page, "Which kernels ran", backends(study), "");
        return page.append("</main>\n</body>\n</html>\n").toString();
    }

    private static void section(StringBuilder page, String title, String content, String caption) {
        page.append("<section><h2>").append(escape(title)).append("</h2>\n").append(content).append('\n');
        if (!caption.isEmpty()) {
            page.append("<p class=\"caption\">").append(escape(caption)).append("</p>\n");
        }
        page.append("</section>\n");
    }

    private static String table(Study study) {
        ResultTable table = ResultTable.of(study.results());
        StringBuilder html = new StringBuilder("<table><thead><tr>");
        table.header().forEach(cell -> html.append("<th>").append(escape(cell)).append("</th>"));
        html.append("</tr></thead>\n<tbody>\n");
        for (int row = 0; row < table.rows().size(); row++) {
            List<String> cells = table.rows().get(row);
            html.append("<tr><td>").append(escape(cells.getFirst())).append("<small>")
                    .append(escape(study.results().get(row).choice().description())).append("</small></td>");
            cells.stream().skip(1).forEach(cell -> html.append("<td>").append(escape(cell)).append("</td>"));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table>").toString();
    }

    private static String list(List<String> lines) {
        return lines.stream()
                .map(line -> "<li>" + escape(line) + "</li>\n")
                .collect(Collectors.joining("", "<ul>\n", "</ul>"));
    }

    /** The ladder of the first cache, and of others only where it differs. */
    private static String backends(Study study) {
        List<Rung> first = study.results().getFirst().kernels().ladder();
        StringBuilder html = new StringBuilder(ladder("all caches", first));
        for (CacheResult result : study.results()) {
            if (!result.kernels().ladder().equals(first)) {
                html.append(ladder(result.choice().name() + " differs", result.kernels().ladder()));
            }
        }
        return html.toString();
    }

    private static String ladder(String title, List<Rung> ladder) {
        return "<p class=\"caption\">" + escape(title) + "</p>\n"
                + list(ladder.stream().map(HtmlReport::rung).toList());
    }

    private static String rung(Rung rung) {
        return rung + (rung.chosen() ? " (chosen)" : "");
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
