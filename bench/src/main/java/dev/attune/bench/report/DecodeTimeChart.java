package dev.attune.bench.report;

import dev.attune.examples.report.ChartStyle;
import java.awt.BasicStroke;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.util.ShapeUtils;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * The time of a decode step per token and key-value head against the context: one line per layer and group size, in the
 * layer's colour and with the group's dashes and markers.
 */
public final class DecodeTimeChart {

    private static final double TOKENS_PER_UNIT = 1024;
    private static final float[][] DASHES = {null, {7, 4}, {2, 4}};
    private static final Shape[] MARKERS = {
        new Ellipse2D.Double(-3.5, -3.5, 7, 7), new Rectangle2D.Double(-3.5, -3.5, 7, 7),
        ShapeUtils.createDiamond(4.5f)
    };

    private DecodeTimeChart() {}

    /**
     * Draws what was measured.
     *
     * @param steps rows of one head dimension and number of threads
     */
    public static String svg(List<ReportRow> steps) {
        XYSeriesCollection data = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, true);
        Map<String, XYSeries> lines = new LinkedHashMap<>();
        List<String> layers = new ArrayList<>();
        List<Integer> groups = new ArrayList<>();
        for (ReportRow step : steps) {
            String layer = step.spec() + " " + step.format();
            String name = layer + ", G = " + step.groupSize();
            XYSeries line = lines.get(name);
            if (line == null) {
                line = new XYSeries(name);
                lines.put(name, line);
                style(renderer, data.getSeriesCount(), index(layers, layer), index(groups, step.groupSize()));
                data.addSeries(line);
            }
            line.add(step.contextTokens() / TOKENS_PER_UNIT, step.nanosPerTokenHead());
        }
        XYPlot plot = new XYPlot(data, contexts(steps), nanos(steps), renderer);
        plot.setDomainGridlinePaint(ChartStyle.GRID);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        return ChartStyle.svg(ChartStyle.chart(plot, true), "decode-time", ChartStyle.HEIGHT);
    }

    /** Returns the place of an entry, which is added if it is new. */
    private static <T> int index(List<T> known, T entry) {
        if (!known.contains(entry)) {
            known.add(entry);
        }
        return known.indexOf(entry);
    }

    private static void style(XYLineAndShapeRenderer renderer, int series, int layer, int group) {
        float[] dashes = DASHES[group % DASHES.length];
        renderer.setSeriesPaint(series, ChartStyle.colour(layer));
        renderer.setSeriesShape(series, MARKERS[group % MARKERS.length]);
        renderer.setSeriesStroke(series, dashes == null
                ? ChartStyle.LINE
                : new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND, 1, dashes, 0));
    }

    private static LogAxis contexts(List<ReportRow> steps) {
        double least = steps.stream().mapToInt(ReportRow::contextTokens).min().orElseThrow() / TOKENS_PER_UNIT;
        double most = steps.stream().mapToInt(ReportRow::contextTokens).max().orElseThrow() / TOKENS_PER_UNIT;
        LogAxis axis = new LogAxis("tokens in the cache, in units of 1024");
        axis.setBase(2);
        axis.setTickUnit(new NumberTickUnit(1));
        axis.setNumberFormatOverride(ChartStyle.format("0.###"));
        axis.setRange(least / 1.2, most * 1.2);
        ChartStyle.apply(axis);
        return axis;
    }

    private static NumberAxis nanos(List<ReportRow> steps) {
        NumberAxis axis = new NumberAxis("nanoseconds per token and key-value head");
        axis.setRange(0, 1.1 * steps.stream().mapToDouble(ReportRow::nanosPerTokenHead).max().orElseThrow());
        axis.setNumberFormatOverride(ChartStyle.format("0"));
        ChartStyle.apply(axis);
        return axis;
    }
}
