package dev.attune.bench.tuning;

import dev.attune.examples.report.ChartStyle;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningRecord;
import java.awt.BasicStroke;
import java.awt.geom.Ellipse2D;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * The time of a decode step per token and key-value head against the context: one line for each variant, the chosen
 * ones ringed, and the least time in which memory could be read.
 */
public final class VariantChart {

    /** What takes so many times as long as the fastest would press the others together. */
    static final int MOST_TIMES = 5;

    private static final double TOKENS_PER_UNIT = 1024;

    private VariantChart() {}

    /**
     * Draws what was measured.
     *
     * @param records of one specification and number of threads, one for each context
     * @param leastNanos time to read a token's bytes at the speed of plain reading; not-a-number if it was not measured
     * @param id tells this chart's elements from others of the page
     */
    public static String svg(List<TuningRecord> records, double leastNanos, String id) {
        Map<String, XYSeries> lines = new LinkedHashMap<>();
        XYSeries chosen = new XYSeries("chosen");
        double most = Double.isFinite(leastNanos) ? leastNanos : 0;
        for (TuningRecord record : records) {
            double context = record.key().contextTokens() / TOKENS_PER_UNIT;
            double limit = MOST_TIMES * fastest(record);
            for (CandidateResult each : record.candidates()) {
                // Not-a-number, the time of what was not timed, is not below either.
                if (each.medianNanos() <= limit) {
                    lines.computeIfAbsent(each.variant(), XYSeries::new).add(context, each.medianNanos());
                    most = Math.max(most, each.medianNanos());
                }
                if (each.variant().equals(record.chosen())) {
                    chosen.add(context, each.medianNanos());
                }
            }
        }
        XYSeriesCollection data = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, true);
        lines.values().forEach(line -> {
            int index = data.getSeriesCount();
            data.addSeries(line);
            renderer.setSeriesPaint(index, ChartStyle.colour(index));
            renderer.setSeriesStroke(index, ChartStyle.LINE);
            renderer.setSeriesShape(index, new Ellipse2D.Double(-3.5, -3.5, 7, 7));
        });
        ring(data, renderer, chosen);
        LogAxis contexts = contexts(records);
        if (Double.isFinite(leastNanos)) {
            roof(data, renderer, contexts, leastNanos);
        }
        XYPlot plot = new XYPlot(data, contexts, nanos(most), renderer);
        plot.setDomainGridlinePaint(ChartStyle.GRID);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        return ChartStyle.svg(ChartStyle.chart(plot, true), id, ChartStyle.HEIGHT);
    }

    private static double fastest(TuningRecord record) {
        return record.candidates().stream()
                .mapToDouble(CandidateResult::medianNanos)
                .filter(Double::isFinite)
                .min()
                .orElse(Double.NaN);
    }

    private static void ring(XYSeriesCollection data, XYLineAndShapeRenderer renderer, XYSeries chosen) {
        int index = data.getSeriesCount();
        data.addSeries(chosen);
        renderer.setSeriesLinesVisible(index, false);
        renderer.setSeriesShapesFilled(index, false);
        renderer.setSeriesPaint(index, ChartStyle.colour(0));
        renderer.setSeriesShape(index, new Ellipse2D.Double(-8, -8, 16, 16));
    }

    private static void roof(
            XYSeriesCollection data, XYLineAndShapeRenderer renderer, LogAxis contexts, double leastNanos) {
        int index = data.getSeriesCount();
        XYSeries roof = new XYSeries("reading the bytes alone");
        roof.add(contexts.getLowerBound(), leastNanos);
        roof.add(contexts.getUpperBound(), leastNanos);
        data.addSeries(roof);
        renderer.setSeriesShapesVisible(index, false);
        renderer.setSeriesPaint(index, ChartStyle.colour(11));
        renderer.setSeriesStroke(
                index, new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_BEVEL, 1, new float[] {7, 4}, 0));
    }

    private static LogAxis contexts(List<TuningRecord> records) {
        double least = records.stream().mapToInt(each -> each.key().contextTokens()).min().orElseThrow();
        double most = records.stream().mapToInt(each -> each.key().contextTokens()).max().orElseThrow();
        LogAxis axis = new LogAxis("tokens in the cache, in units of 1024");
        axis.setBase(2);
        axis.setTickUnit(new NumberTickUnit(1));
        axis.setNumberFormatOverride(ChartStyle.format("0.###"));
        axis.setRange(least / TOKENS_PER_UNIT / 1.3, most / TOKENS_PER_UNIT * 1.3);
        ChartStyle.apply(axis);
        return axis;
    }

    private static NumberAxis nanos(double most) {
        NumberAxis axis = new NumberAxis("nanoseconds per token and key-value head");
        axis.setNumberFormatOverride(ChartStyle.format("0.##"));
        axis.setRange(0, most > 0 ? 1.1 * most : 1);
        ChartStyle.apply(axis);
        return axis;
    }
}
