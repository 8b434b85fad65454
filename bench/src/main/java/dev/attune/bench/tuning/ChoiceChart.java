package dev.attune.bench.tuning;

import dev.attune.examples.report.ChartStyle;
import dev.attune.runtime.tuning.CandidateResult;
import dev.attune.runtime.tuning.TuningRecord;
import java.awt.BasicStroke;
import java.awt.geom.Ellipse2D;
import java.util.List;
import org.jfree.chart.annotations.XYTextAnnotation;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * The roofline: for each specification, the time of a decode step of the chosen variant and of the default against the
 * bytes it must read, per token and key-value head, and the line of reading those bytes alone.
 */
final class ChoiceChart {

    private static final double GAP = 0.012;

    private ChoiceChart() {}

    /**
     * A specification at one context length.
     *
     * @param name its name
     * @param bytes bytes per token and key-value head
     * @param record what was measured
     */
    record Point(String name, double bytes, TuningRecord record) {

        private double nanos(String variant) {
            return record.candidate(variant).map(CandidateResult::medianNanos).orElse(Double.NaN);
        }

        private double chosen() {
            return nanos(record.chosen());
        }

        private double standard() {
            return nanos(record.defaultVariant());
        }

        private double slower() {
            return Math.max(Double.isNaN(standard()) ? 0 : standard(), chosen());
        }
    }

    /**
     * Draws what was measured with one number of threads.
     *
     * @param points at least one, whose chosen variant was timed
     * @param readGigabytes how fast memory is read, in 1e9 bytes a second
     * @param id tells this chart's elements from others of the page
     */
    static String svg(List<Point> points, double readGigabytes, String id) {
        double mostBytes = 1.15 * points.stream().mapToDouble(Point::bytes).max().orElseThrow();
        double mostNanos = 1.15
                * Math.max(
                        points.stream().mapToDouble(Point::slower).max().orElseThrow(), mostBytes / readGigabytes);
        XYSeries standard = new XYSeries("default");
        XYSeries chosen = new XYSeries("chosen");
        XYSeries roof = new XYSeries(ChartStyle.format("'reading alone, '0.0' GB/s'").format(readGigabytes));
        for (Point point : points) {
            standard.add(point.bytes(), point.standard());
            chosen.add(point.bytes(), point.chosen());
        }
        roof.add(0, 0);
        roof.add(mostBytes, mostBytes / readGigabytes);
        XYSeriesCollection data = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(false, true);
        // The first series is drawn last, on top of the others.
        points(data, renderer, chosen, 1, 6);
        points(data, renderer, standard, 11, 11);
        line(data, renderer, roof);
        XYPlot plot = new XYPlot(
                data,
                axis("bytes per token and key-value head", mostBytes, "0"),
                axis("nanoseconds per token and key-value head", mostNanos, "0.##"),
                renderer);
        plot.setDomainGridlinePaint(ChartStyle.GRID);
        plot.setRangeGridlinePaint(ChartStyle.GRID);
        points.forEach(point -> plot.addAnnotation(label(point, mostBytes)));
        return ChartStyle.svg(ChartStyle.chart(plot, true), id, ChartStyle.HEIGHT);
    }

    private static void points(
            XYSeriesCollection data, XYLineAndShapeRenderer renderer, XYSeries series, int colour, double size) {
        int index = data.getSeriesCount();
        data.addSeries(series);
        renderer.setSeriesPaint(index, ChartStyle.colour(colour));
        renderer.setSeriesShape(index, new Ellipse2D.Double(-size / 2, -size / 2, size, size));
    }

    private static void line(XYSeriesCollection data, XYLineAndShapeRenderer renderer, XYSeries roof) {
        int index = data.getSeriesCount();
        data.addSeries(roof);
        renderer.setSeriesLinesVisible(index, true);
        renderer.setSeriesShapesVisible(index, false);
        renderer.setSeriesPaint(index, ChartStyle.colour(0));
        renderer.setSeriesStroke(index, new BasicStroke(2));
    }

    /** Beside the point, where there is more room. */
    private static XYTextAnnotation label(Point point, double mostBytes) {
        boolean right = point.bytes() < mostBytes / 2;
        double gap = right ? GAP * mostBytes : -GAP * mostBytes;
        XYTextAnnotation label = new XYTextAnnotation(point.name(), point.bytes() + gap, point.chosen());
        label.setTextAnchor(right ? TextAnchor.CENTER_LEFT : TextAnchor.CENTER_RIGHT);
        label.setFont(ChartStyle.LABELS);
        return label;
    }

    private static NumberAxis axis(String name, double most, String format) {
        NumberAxis axis = new NumberAxis(name);
        axis.setRange(0, most);
        axis.setNumberFormatOverride(ChartStyle.format(format));
        ChartStyle.apply(axis);
        return axis;
    }
}
