package dev.attune.examples.report;

import dev.attune.examples.evaluation.CacheResult;
import java.awt.geom.Ellipse2D;
import java.text.FieldPosition;
import java.text.NumberFormat;
import java.text.ParsePosition;
import java.util.List;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/** Time of a decode step against the context length, both logarithmic: one line per cache. */
final class DecodeChart {

    private DecodeChart() {}

    static String svg(List<CacheResult> results) {
        XYSeriesCollection data = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, true);
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (CacheResult result : results) {
            int series = data.getSeriesCount();
            XYSeries points = new XYSeries(result.choice().name());
            for (CacheResult.Timing timing : result.timings()) {
                points.add(timing.context(), timing.sample().micros());
                least = Math.min(least, timing.sample().micros());
                most = Math.max(most, timing.sample().micros());
            }
            renderer.setSeriesPaint(series, ChartStyle.colour(series));
            renderer.setSeriesStroke(series, ChartStyle.LINE);
            renderer.setSeriesShape(series, new Ellipse2D.Double(-3.5, -3.5, 7, 7));
            data.addSeries(points);
        }
        LogAxis context = new LogAxis("tokens in the cache");
        context.setBase(2);
        context.setTickUnit(new NumberTickUnit(1));
        context.setNumberFormatOverride(new Thousands());
        List<CacheResult.Timing> timings = results.getFirst().timings();
        context.setRange(timings.getFirst().context() / 1.2, timings.getLast().context() * 1.2);
        LogAxis micros = new LogAxis("microseconds per decode step");
        micros.setBase(10);
        micros.setTickUnit(new NumberTickUnit(1));
        micros.setNumberFormatOverride(ChartStyle.format("#,##0.###"));
        // Whole powers of ten at both ends, so that the axis has labels.
        micros.setRange(Math.pow(10, Math.floor(Math.log10(least))), Math.pow(10, Math.ceil(Math.log10(most))));
        ChartStyle.apply(context);
        ChartStyle.apply(micros);
        XYPlot plot = new XYPlot(data, context, micros, renderer);
        plot.setDomainGridlinePaint(ChartStyle.GRID);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        plot.setRangeMinorGridlinesVisible(true);
        plot.setRangeMinorGridlinePaint(ChartStyle.GRID);
        micros.setMinorTickCount(9);
        return ChartStyle.svg(ChartStyle.chart(plot, true), "decode", ChartStyle.HEIGHT);
    }

    /** Writes 4096 as 4k. */
    private static final class Thousands extends NumberFormat {

        private static final long serialVersionUID = 1;

        @Override
        public StringBuffer format(double number, StringBuffer target, FieldPosition position) {
            return format(Math.round(number), target, position);
        }

        @Override
        public StringBuffer format(long number, StringBuffer target, FieldPosition position) {
            return number % 1024 == 0 ? target.append(number / 1024).append('k') : target.append(number);
        }

        @Override
        public Number parse(String source, ParsePosition position) {
            throw new UnsupportedOperationException("axis labels are not read back");
        }
    }
}
